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

/** What a worker elsewhere gives back while its running task is cancelled goes into another batch, and this one is completed once. */
@JCStressTest
@Outcome(id = "1, F, 1", expect = ACCEPTABLE, desc = "one cancelled, one in another batch that waits")
@Outcome(id = "0, -, 1", expect = ACCEPTABLE, desc = "both given back before")
@Outcome(expect = FORBIDDEN, desc = "a task is lost or in two batches, or the batch was completed other than once")
@State
public class BatchGivenBack {
    private final Stage stage = new Stage(() -> new Value(1), () -> new Value(2));

    public BatchGivenBack() {
        stage.batch.claim(Stage.remote());
    }

    @Actor
    public void reporter() {
        stage.batch.notRun(0);
    }

    @Actor
    public void canceller() {
        stage.batch.cancel(Stage.CANCELLED);
    }

    @Arbiter
    public void afterwards(ICI_Result seen) {
        seen.r1 = stage.batch.settled();
        seen.r2 = Stage.outcome(stage.batch, 0);
        seen.r3 = stage.unfinished();
    }
}
