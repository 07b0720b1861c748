package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.batchedipc.SharedArray;
import java.util.List;
import org.junit.jupiter.api.Test;

final class VectorLoopTest {
    @Test
    void allWays_giveTheSameSum() {
        Outcome outcome = Outcome.of(VectorLoop::run, "--rows", 700, "--queries", 3);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.out())
                .contains("scalar loop -> thread pool\n  because ", "vector loop -> process pool\n  because ");
        List<String> figures = outcome.lines()
                .subList(outcome.lines().size() - 4, outcome.lines().size());
        assertThat(figures.get(0)).isEqualTo("2,100 dot products of 512 floats, 1.4 MB in shared memory");
        assertThat(figures.get(1)).matches("  one thread    \\S+ m?s, 2\\.\\d+e\\+05");
        assertThat(figures.get(2)).matches("  threads       \\S+ m?s, 2\\.\\d+e\\+05, \\S+ times as fast");
        assertThat(figures.get(3))
                .matches("  vectors       \\S+ m?s, 2\\.\\d+e\\+05, \\S+ times as fast, \\d+ floats at a time");
    }

    /** That this JVM does without is what the example is about. */
    @Test
    void thisJvm_hasNoSuchModule() {
        assertThat(ModuleLayer.boot().findModule(VectorLoop.MODULE)).isEmpty();
        assertThatThrownBy(() -> VectorDot.dot(new float[1], new float[1])).isInstanceOf(NoClassDefFoundError.class);
    }

    @Test
    void javaWithoutTheModule_isRefused() {
        assertThatThrownBy(() -> VectorLoop.require("no.such.module"))
                .isInstanceOf(Cli.Refused.class)
                .hasMessageContainingAll("this Java has no module no.such.module", System.getProperty("java.home"));
    }

    @Test
    void tooManyRows_areRefused() {
        Outcome outcome = Outcome.of(VectorLoop::run, "--rows", Integer.MAX_VALUE);

        assertThat(outcome.err()).contains("--rows takes at most 524288, not 2147483647");
        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
    }

    @Test
    void workerThatHasMultiplied_hasClosedItsArrays() {
        try (SharedArray rows = VectorLoop.random(2, 1);
                SharedArray queries = VectorLoop.random(3, 2)) {
            VectorLoop.Part part = new VectorLoop.Part(rows, queries, 0, 2);

            double sum = VectorLoop.multiplyAndClose(part, (row, query) -> 1);

            assertThat(sum).isEqualTo(6);
            assertThat(rows.isClosed()).isTrue();
            assertThat(queries.isClosed()).isTrue();
        }
    }
}
