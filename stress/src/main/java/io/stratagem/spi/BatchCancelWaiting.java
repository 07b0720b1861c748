package io.stratagem.spi;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.stratagem.spi.Stage.Told;
import io.stratagem.spi.Stage.Value;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.CII_Result;

/**
 * Asynchronous tasks of which one waits, and gets a batch of its own, while all are cancelled: each batch is completed
 * once, and each task that was started has one end.
 */
@JCStressTest
@Outcome(id = "S, 0, 0", expect = ACCEPTABLE, desc = "the first was done before")
@Outcome(id = "F, 0, 0", expect = ACCEPTABLE, desc = "the first was cancelled")
@Outcome(expect = FORBIDDEN, desc = "no outcome, completed other than once, or an end too few or too many")
@State
public class BatchCancelWaiting {
    private final Stage stage = Stage.async(() -> new Value(1), () -> Stage.WAITS, () -> new Value(3));
    private final Queue<Told> loops = new ConcurrentLinkedQueue<>();

    private Told loop() {
        Told loop = new Told();
        loops.add(loop);
        return loop;
    }

    @Actor
    public void worker() {
        stage.batch.runAsync(Stage.bound(), this::loop);
    }

    @Actor
    public void canceller() {
        stage.cancelAll();
    }

    @Arbiter
    public void afterwards(CII_Result seen) {
        seen.r1 = Stage.outcome(stage.batch, 0);
        seen.r2 = stage.unfinished();
        seen.r3 = (int) loops.stream().filter(loop -> !loop.isRight()).count();
    }
}
