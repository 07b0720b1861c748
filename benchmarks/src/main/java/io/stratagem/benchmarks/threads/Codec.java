package io.stratagem.benchmarks.threads;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZInputStream;
import org.tukaani.xz.XZOutputStream;

/** What is done to a buffer: two ways to compress it, one to hash it. Named as the metrics are. */
enum Codec {
    GZIP {
        @Override
        byte[] encode(byte[] buffer) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream(Buffers.BYTES + Buffers.BYTES / 16);
            try (OutputStream gzip = new GZIPOutputStream(bytes)) {
                gzip.write(buffer);
            }
            return bytes.toByteArray();
        }

        @Override
        boolean isRight(byte[] buffer, byte[] encoded) throws IOException {
            try (GZIPInputStream gzip = new GZIPInputStream(new ByteArrayInputStream(encoded))) {
                return Arrays.equals(buffer, gzip.readAllBytes());
            }
        }
    },

    XZ {
        @Override
        byte[] encode(byte[] buffer) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream(Buffers.BYTES + Buffers.BYTES / 16);
            try (OutputStream xz = new XZOutputStream(bytes, new LZMA2Options(XZ_PRESET))) {
                xz.write(buffer);
            }
            return bytes.toByteArray();
        }

        @Override
        boolean isRight(byte[] buffer, byte[] encoded) throws IOException {
            try (XZInputStream xz = new XZInputStream(new ByteArrayInputStream(encoded))) {
                return Arrays.equals(buffer, xz.readAllBytes());
            }
        }
    },

    SHA256 {
        @Override
        byte[] encode(byte[] buffer) throws IOException {
            try {
                return MessageDigest.getInstance("SHA-256").digest(buffer);
            } catch (NoSuchAlgorithmException e) {
                throw new IOException(e);
            }
        }

        @Override
        boolean isRight(byte[] buffer, byte[] encoded) throws IOException {
            return Arrays.equals(encode(buffer), encoded);
        }
    };

    /* Fast enough for a round of 64 buffers, and the same in the Python program. */
    private static final int XZ_PRESET = 1;

    abstract byte[] encode(byte[] buffer) throws IOException;

    /** Whether that is what encoding the buffer must give. */
    abstract boolean isRight(byte[] buffer, byte[] encoded) throws IOException;
}
