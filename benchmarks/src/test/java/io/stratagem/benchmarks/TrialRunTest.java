package io.stratagem.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How often a trial is run, and what becomes of a wrong one. */
final class TrialRunTest {

    private static int passes;

    @BeforeEach
    void setUp() {
        passes = 0;
    }

    @Test
    void samples_ofATrial_areWarmedUpBefore() throws Exception {
        assertThat(samples(Warm.class, "0")).hasSize(1);
        assertThat(passes).isEqualTo(2);
    }

    @Test
    void samples_ofAColdTrial_areItsFirstPass() throws Exception {
        assertThat(samples(Cold.class, "50")).hasSize(1);
        assertThat(passes).isEqualTo(1);
    }

    @Test
    void samples_ofAWrongTrial_areNone() {
        assertThatThrownBy(() -> samples(Wrong.class, "0"))
                .isInstanceOf(WrongResultException.class)
                .hasMessage("passes: 1 instead of 0");
    }

    private static List<Sample> samples(Class<? extends Trial> trial, String millis) throws Exception {
        return TrialRun.samples(new String[] {trial.getName(), "m", "us", "1", millis, millis});
    }

    /** A trial that counts its passes. */
    static class Warm implements Trial {
        @Override
        public void prepare(String metric, int size) {}

        @Override
        public void pass() {
            passes++;
        }

        @Override
        public void verify() throws WrongResultException {}

        @Override
        public long operations() {
            return 1;
        }
    }

    /** The same, cold. */
    static final class Cold extends Warm {
        @Override
        public boolean isCold() {
            return true;
        }
    }

    /** The same, with a wrong result. */
    static final class Wrong extends Warm {
        @Override
        public void verify() throws WrongResultException {
            WrongResultException.check("passes", 0, passes);
        }
    }
}
