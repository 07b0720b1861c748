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

/** The report of a worker elsewhere and a cancellation cannot both win, and the report is told which. */
@JCStressTest
@Outcome(id = "1, S, 0", expect = ACCEPTABLE, desc = "the report was first")
@Outcome(id = "0, F, 0", expect = ACCEPTABLE, desc = "the cancellation was first")
@Outcome(id = "1, F, 0", expect = FORBIDDEN, desc = "an accepted report was overwritten")
@Outcome(id = "0, S, 0", expect = FORBIDDEN, desc = "a refused report counts")
@Outcome(expect = FORBIDDEN, desc = "completed other than once")
@State
public class BatchLateReport {
    private final Stage stage = new Stage(() -> new Value(1));
    private boolean isAccepted;

    public BatchLateReport() {
        stage.batch.claim(Stage.remote());
    }

    @Actor
    public void reporter() {
        isAccepted = stage.batch.succeeded(0, new Value(1));
    }

    @Actor
    public void canceller() {
        stage.batch.cancel(Stage.CANCELLED);
    }

    @Arbiter
    public void afterwards(ICI_Result seen) {
        seen.r1 = isAccepted ? 1 : 0;
        seen.r2 = Stage.outcome(stage.batch, 0);
        seen.r3 = stage.unfinished();
    }
}
