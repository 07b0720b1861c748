package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class DownloadsTest {
    @Test
    void allPages_comeInAllWays() {
        Outcome outcome = Outcome.of(Downloads::run, "--pages", 60);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.lines()).hasSize(6);
        assertThat(outcome.lines().get(0))
                .matches("60 pages from http://127.0.0.1:\\d+/, which answers after 10 to 200 ms");
        assertThat(outcome.lines().get(1)).matches("  one thread +\\S+ m?s +worked out from 50 pages in \\S+ m?s");
        assertThat(outcome.lines().get(2)).matches("  thread pool +\\S+ m?s +60 platform threads; \\d+ times as fast");
        assertThat(outcome.lines().get(3)).startsWith("  virtual threads ");
        assertThat(outcome.lines().get(4)).matches("  event loop +\\S+ m?s +1 thread; \\d+ times as fast");
        assertThat(outcome.lines().get(5)).matches("  politely +\\S+ m?s +100 at once; 6 asked for again");
    }
}
