package io.stratagem.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The arithmetic between a program's output and a row. */
final class FiguresTest {

    private static final Program OURS = (machine, effort) -> new Launch.Missing("a test");
    private static final Program PEER = new FixedOutput("peer");
    private static final Program BASE = new FixedOutput("base");

    @Test
    void median_ofOddAndEven_isTheMiddle() {
        assertThat(Median.of(List.of(5.0, 1.0, 3.0))).isEqualTo(3);
        assertThat(Median.of(List.of(8.0, 1.0, 3.0, 4.0))).isEqualTo(3.5);
        assertThatThrownBy(() -> Median.of(List.of())).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void sample_readsWhatItPrints() {
        Sample sample = new Sample("map-trivial", 25.125, "ns");

        assertThat(sample.line()).isEqualTo("METRIC map-trivial 25.1250 ns");
        assertThat(Sample.parse(sample.line())).contains(sample);
    }

    @Test
    void sample_otherLines_areNoSamples() {
        assertThat(List.of(
                        "", "METRIC", "METRIC a 1", "METRIC a one ns", "METRIC a NaN ns", "METRIC a -1 ns", "a b 1 ns"))
                .allSatisfy(line -> assertThat(Sample.parse(line)).isEmpty());
    }

    @Test
    void runs_severalSamplesOfARound_countWithTheirMedian() {
        Runs runs = runs("m", 1, 2, 9);

        assertThat(runs.values("m")).containsExactly(2.0);
        runs.add(List.of(new Sample("m", 4, "ns")));
        assertThat(runs.values("m")).containsExactly(2.0, 4.0);
        assertThat(runs.median("m")).hasValue(3);
        assertThat(runs.median("other")).isEmpty();
    }

    @Test
    void rows_lessIsBetter_ratioIsPeerOverOurs() {
        Contest contest = Contest.ofLess("m", "ns", OURS).peer("peer", PEER, 10);

        List<Row> rows = contest.rows(Map.of(OURS, runs("m", 25.1), PEER, runs("m", 310)));

        assertThat(rows).hasSize(1);
        assertThat(rows.get(0).line("suite")).isEqualTo("suite m/peer 25.1ns 310ns 12.35");
        assertThat(rows.get(0).missesGoal()).isFalse();
    }

    @Test
    void rows_moreIsBetter_ratioIsOursOverPeer() {
        Contest contest = Contest.ofMore("m", "MB/s", OURS).peer("peer", PEER, 1);

        Row row =
                contest.rows(Map.of(OURS, runs("m", 50), PEER, runs("m", 200))).get(0);

        assertThat(row.ratio()).isEqualTo(0.25);
        assertThat(row.missesGoal()).isTrue();
        assertThat(row.againstGoal()).isEqualTo("m/peer 0.25, goal 1.0");
    }

    @Test
    void rows_bestOf_isAgainstTheBestThatIsThere() {
        Contest contest =
                Contest.ofLess("m", "ns", OURS).peer("a", PEER).peer("b", BASE).bestOf("best", 2, "a", "b");

        Row both = contest.rows(Map.of(OURS, runs("m", 10), PEER, runs("m", 30), BASE, runs("m", 15)))
                .get(2);
        Row one = contest.rows(Map.of(OURS, runs("m", 10), PEER, runs("m", 30), BASE, new Runs()))
                .get(1);

        assertThat(both.line("suite")).isEqualTo("suite m/best 10.0ns 15.0ns 1.50");
        assertThat(both.missesGoal()).isTrue();
        assertThat(one.line("suite")).isEqualTo("suite m/best 10.0ns 30.0ns 3.00");
        assertThat(contest.rows(Map.of(OURS, runs("m", 10), PEER, new Runs(), BASE, new Runs())))
                .isEmpty();
    }

    @Test
    void rows_withoutPeer_areOursAlone() {
        List<Row> rows = Contest.ofLess("rss", "MB", OURS).rows(Map.of(OURS, runs("rss", 48)));

        assertThat(rows)
                .singleElement()
                .satisfies(row -> assertThat(row.line("suite")).isEqualTo("suite rss 48.0MB - -"));
    }

    @Test
    void rows_withoutPeerButWithALimit_missItAbove() {
        Contest contest = Contest.ofLess("rss", "MB", OURS).limit(60);

        Row within = contest.rows(Map.of(OURS, runs("rss", 60))).get(0);
        Row beyond = contest.rows(Map.of(OURS, runs("rss", 61.2))).get(0);

        assertThat(within.missesGoal()).isFalse();
        assertThat(beyond.line("suite")).isEqualTo("suite rss 61.2MB - -");
        assertThat(beyond.missesGoal()).isTrue();
        assertThat(beyond.againstGoal()).isEqualTo("rss 61.2MB, limit 60.0MB");
    }

    @Test
    void limit_whereMoreIsBetter_isRefused() {
        Contest contest = Contest.ofMore("m", "MB/s", OURS);

        assertThatThrownBy(() -> contest.limit(60))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("m has a limit");
    }

    @Test
    void rows_speedUp_isEachOverItsBase() {
        Contest contest = Contest.ofLess("m", "ms", OURS)
                .peer("peer", PEER)
                .reference("base", BASE)
                .speedUp("peer", "base", "base");

        List<Row> rows = contest.rows(Map.of(OURS, runs("m", 10), PEER, runs("m", 16), BASE, runs("m", 20)));

        assertThat(rows)
                .extracting(row -> row.line("suite"))
                .containsExactly("suite m/peer 10.0ms 16.0ms 1.60", "suite m/peer-speed-up 2.00x 1.25x 1.60");
    }

    @Test
    void rows_withoutAFigure_areLeftOut() {
        Contest contest = Contest.ofLess("m", "ns", OURS).peer("peer", PEER);
        Runs failed = runs("m", 1);
        failed.fail("exit code 1");

        assertThat(contest.rows(Map.of(OURS, runs("m", 1), PEER, failed))).isEmpty();
        assertThat(contest.rows(Map.of(OURS, runs("m", 1), PEER, runs("other", 1))))
                .isEmpty();
    }

    @Test
    void figure_hasThreeDigits() {
        assertThat(Row.figure(0.1234, "ms")).isEqualTo("0.12ms");
        assertThat(Row.figure(9.876, "ns")).isEqualTo("9.88ns");
        assertThat(Row.figure(1234.5, "ns")).isEqualTo("1235ns");
    }

    private static Runs runs(String metric, double... values) {
        List<Sample> samples = new ArrayList<>();
        for (double value : values) {
            samples.add(new Sample(metric, value, "unit"));
        }
        Runs runs = new Runs();
        runs.add(samples);
        return runs;
    }

    private record FixedOutput(String name) implements Program {
        @Override
        public Launch launch(Machine machine, Effort effort) {
            return new Launch.Missing(name);
        }
    }
}
