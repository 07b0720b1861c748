package io.stratagem.spi;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.stratagem.spi.Stage.Value;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.CII_Result;

/** A task that is cancelled while it runs has one outcome, its batch is completed once, and the interrupt that was for it does not meet what the thread runs next. */
@JCStressTest
@Outcome(id = "S, 0, 0", expect = ACCEPTABLE, desc = "it was done before")
@Outcome(id = "F, 0, 0", expect = ACCEPTABLE, desc = "it was cancelled")
@Outcome(id = "., 0, 1", expect = FORBIDDEN, desc = "the next task met the interrupt")
@Outcome(expect = FORBIDDEN, desc = "no outcome, or completed other than once")
@State
public class BatchTakeRunning {
    private final Stage stage = new Stage(() -> new Value(1));
    private boolean hasMetInterrupt;
    private final Stage next = new Stage(() -> {
        hasMetInterrupt = Thread.currentThread().isInterrupted();
        return new Value(2);
    });

    @Actor
    public void worker() {
        Worker worker = Stage.bound();
        stage.batch.run(worker);
        next.batch.run(worker);
    }

    @Actor
    public void canceller() {
        stage.batch.cancel(Stage.CANCELLED);
    }

    @Arbiter
    public void afterwards(CII_Result seen) {
        seen.r1 = Stage.outcome(stage.batch, 0);
        seen.r2 = stage.unfinished() + next.unfinished();
        seen.r3 = hasMetInterrupt ? 1 : 0;
    }
}
