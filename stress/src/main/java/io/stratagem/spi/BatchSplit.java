package io.stratagem.spi;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.stratagem.spi.Stage.Value;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** A tail that is cut off while a worker runs is not run by that worker, and nothing is lost between the two. */
@JCStressTest
@Outcome(id = "4, 0, 4", expect = ACCEPTABLE, desc = "all run before the cut")
@Outcome(id = "[123], [123], 4", expect = ACCEPTABLE, desc = "a tail was cut off")
@Outcome(expect = FORBIDDEN, desc = "a task was run and cut off, or neither")
@State
public class BatchSplit {
    private int runs;
    private Batch tail;
    private final Stage stage = new Stage(this::act, this::act, this::act, this::act);

    private Value act() {
        return new Value(++runs);
    }

    @Actor
    public void worker() {
        stage.batch.run(Stage.bound());
    }

    @Actor
    public void reader() {
        tail = stage.batch.split();
    }

    @Arbiter
    public void afterwards(III_Result seen) {
        seen.r1 = runs;
        seen.r2 = tail == null ? 0 : tail.size();
        seen.r3 = stage.batch.settled() + seen.r2;
    }
}
