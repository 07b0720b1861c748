package io.stratagem.examples;

import com.google.common.collect.AbstractIterator;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The text of files, one after another, in batches of whole lines, read on demand. Only one batch is in memory: a line
 * that is longer is cut between two words. A file that cannot be read is a problem, and skipped.
 */
final class LineBatches extends AbstractIterator<String> implements Closeable {
    private final Iterator<Path> files;
    private final Cli cli;
    private final char[] buffer;
    private int filled;
    private Path file = Path.of("");
    private Reader reader = Reader.nullReader();

    LineBatches(List<Path> files, int batchChars, Cli cli) {
        this.files = files.iterator();
        this.buffer = new char[batchChars];
        this.cli = cli;
    }

    @Override
    protected @Nullable String computeNext() {
        while (true) {
            try {
                String batch = read();
                if (!batch.isEmpty()) {
                    return batch;
                }
                reader.close();
                if (!files.hasNext()) {
                    return endOfData();
                }
                file = files.next();
                reader = open(file);
            } catch (IOException e) {
                cli.problem(file, e);
                reader = Reader.nullReader();
                filled = 0;
            }
        }
    }

    /** Malformed UTF-8 becomes the replacement character. */
    private static Reader open(Path file) throws IOException {
        return new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8);
    }

    /** The next batch of the current file, empty at its end. */
    private String read() throws IOException {
        int read = 0;
        while (read >= 0 && filled < buffer.length) {
            filled += read;
            read = reader.read(buffer, filled, buffer.length - filled);
        }
        int end = read < 0 ? filled : endOfLastLine();
        String batch = new String(buffer, 0, end);
        filled -= end;
        System.arraycopy(buffer, end, buffer, 0, filled);
        return batch;
    }

    private int endOfLastLine() {
        for (int end = filled; end > 0; end--) {
            if (buffer[end - 1] == '\n') {
                return end;
            }
        }
        for (int end = filled; end > 0; end--) {
            if (Character.isWhitespace(buffer[end - 1])) {
                return end;
            }
        }
        return filled;
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
