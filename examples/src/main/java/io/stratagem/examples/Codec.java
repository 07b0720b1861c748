package io.stratagem.examples;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZInputStream;
import org.tukaani.xz.XZOutputStream;

/** A format to compress to. */
enum Codec {
    GZIP(".gz") {
        @Override
        OutputStream compress(OutputStream target, long size) throws IOException {
            return new GZIPOutputStream(target, BUFFER_BYTES);
        }

        @Override
        InputStream decompress(InputStream source) throws IOException {
            return new GZIPInputStream(source, BUFFER_BYTES);
        }
    },

    XZ(".xz") {
        @Override
        OutputStream compress(OutputStream target, long size) throws IOException {
            LZMA2Options options = new LZMA2Options();
            // A window larger than the file would only cost memory, about eleven times its size.
            long window = Math.max(size, LZMA2Options.DICT_SIZE_MIN);
            options.setDictSize((int) Math.min(window, options.getDictSize()));
            return new XZOutputStream(target, options);
        }

        @Override
        InputStream decompress(InputStream source) throws IOException {
            return new XZInputStream(source);
        }
    };

    private static final int BUFFER_BYTES = 64 * 1024;

    private final String suffix;

    Codec(String suffix) {
        this.suffix = suffix;
    }

    String suffix() {
        return suffix;
    }

    /** A stream that compresses what is written to it, about {@code size} bytes. */
    abstract OutputStream compress(OutputStream target, long size) throws IOException;

    abstract InputStream decompress(InputStream source) throws IOException;
}
