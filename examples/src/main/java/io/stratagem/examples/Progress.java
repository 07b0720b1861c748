package io.stratagem.examples;

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
        if (TERMINAL_WIDTH == 0) {
            return results;
        }
        ProgressBar bar = new ProgressBarBuilder()
                .setTaskName(name)
                .setInitialMax(total)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(100)
                .setConsumer(new Terminal())
                .build();
        return results.peek(result -> bar.step()).onClose(bar::close);
    }

    /** One line of the terminal, drawn again and again, and wiped at the end. */
    private static final class Terminal implements ProgressBarConsumer {
        @Override
        public int getMaxRenderedLength() {
            return TERMINAL_WIDTH - 1;
        }

        @Override
        public void accept(String line) {
            System.err.print("\r" + line);
        }

        @Override
        public void close() {
            System.err.print("\r" + " ".repeat(getMaxRenderedLength()) + "\r");
        }
    }
}
