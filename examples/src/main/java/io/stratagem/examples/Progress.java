package io.stratagem.examples;

import java.io.PrintStream;
import java.util.function.Supplier;
import java.util.stream.Stream;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/** A progress bar around a stream of results. */
final class Progress {
    /** How wide the terminal is, as {@code examples/run} found out; 0 if messages go elsewhere, to a log say. */
    private static final int TERMINAL_WIDTH = Integer.getInteger("examples.terminalWidth", 0);

    private Progress() {}

    /** The stream, with a bar on the terminal, if there is one; it is gone when the stream is closed. */
    static <T> Stream<T> of(Stream<T> results, String name, long total) {
        return of(results, name, total, TERMINAL_WIDTH, System.err);
    }

    /** The same, on a terminal of the given width; 0 if it is none. */
    static <T> Stream<T> of(Stream<T> results, String name, long total, int width, PrintStream terminal) {
        if (width == 0) {
            return results;
        }
        Line line = new Line(width, terminal);
        ProgressBar bar = new ProgressBarBuilder()
                .setTaskName(name)
                .setInitialMax(total)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(100)
                .setConsumer(line)
                .build();
        return results.peek(result -> bar.step()).onClose(() -> {
            bar.refresh();
            bar.close();
            line.close(); // the library's thread may do that later
        });
    }

    /** A line on the terminal, if there is one, that says what is being done; it is gone when this is closed. */
    static Status status() {
        return new Status(TERMINAL_WIDTH, System.err);
    }

    /** Does something, and says meanwhile on the terminal, if there is one, what it is. */
    static <T> T during(String what, Supplier<T> work) {
        try (Status status = status()) {
            status.show(what);
            return work.get();
        }
    }

    /** Says what is being done. */
    static final class Status implements AutoCloseable {
        private final int width;
        private final Line line;

        Status(int width, PrintStream terminal) {
            this.width = width;
            this.line = new Line(width, terminal);
        }

        void show(String what) {
            if (width > 0) {
                int room = line.getMaxRenderedLength();
                String shown = what.length() > room ? what.substring(0, room) : what;
                line.accept(shown + " ".repeat(room - shown.length()));
            }
        }

        @Override
        public void close() {
            if (width > 0) {
                line.close();
            }
        }
    }

    /** One line of the terminal, drawn again and again, and wiped at the end. */
    private static final class Line implements ProgressBarConsumer {
        private final int width;
        private final PrintStream terminal;
        private boolean isClosed;

        Line(int width, PrintStream terminal) {
            this.width = width;
            this.terminal = terminal;
        }

        @Override
        public int getMaxRenderedLength() {
            return width - 1;
        }

        /** The library's thread may be late. */
        @Override
        public synchronized void accept(String line) {
            if (!isClosed) {
                terminal.print("\r" + line);
            }
        }

        @Override
        public synchronized void close() {
            if (!isClosed) {
                isClosed = true;
                terminal.print("\r" + " ".repeat(getMaxRenderedLength()) + "\r");
            }
        }
    }
}
