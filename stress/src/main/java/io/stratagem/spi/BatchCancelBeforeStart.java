package io.stratagem.spi;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.stratagem.spi.Stage.Value;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ICI_Result;

/** A queued task is either run and succeeds, or is cancelled and never runs. */
@JCStressTest
@Outcome(id = "1, S, 0", expect = ACCEPTABLE, desc = "it was run")
@Outcome(id = "0, F, 0", expect = ACCEPTABLE, desc = "it was cancelled")
@Outcome(id = "1, F, 0", expect = FORBIDDEN, desc = "run although it was cancelled as one that had not started")
@Outcome(expect = FORBIDDEN, desc = "lost, run twice, or completed other than once")
@State
public class BatchCancelBeforeStart {
    private int runs;
    private final Stage stage = new Stage(() -> new Value(++runs));

    @Actor
    public void worker() {
        stage.batch.run(Stage.bound());
    }

    @Actor
    public void canceller() {
        stage.batch.cancelUnstarted(Stage.CANCELLED);
    }

    @Arbiter
    public void afterwards(ICI_Result seen) {
        seen.r1 = runs;
        seen.r2 = Stage.outcome(stage.batch, 0);
        seen.r3 = stage.unfinished();
    }
}
