package io.stratagem.spi;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.stratagem.spi.Stage.Value;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** Of two workers only one gets the tasks, whether it runs them here or claims them for elsewhere. */
@JCStressTest
@Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "run here")
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "claimed for elsewhere")
@Outcome(id = "1, 1", expect = FORBIDDEN, desc = "run here and there")
@Outcome(expect = FORBIDDEN, desc = "run by nobody")
@State
public class BatchTwoWorkers {
    private int runs;
    private final Stage stage = new Stage(() -> new Value(++runs));

    @Actor
    public void here(II_Result seen) {
        stage.batch.run(Stage.bound());
        seen.r1 = runs;
    }

    @Actor
    public void elsewhere(II_Result seen) {
        seen.r2 = stage.batch.claim(Stage.remote()) != null ? 1 : 0;
    }
}
