package io.stratagem.batchedipc;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** The producer of a full ring overwrites a record only after it was copied out, and loses none. */
@JCStressTest
@Outcome(id = "1, 0, 9", expect = ACCEPTABLE, desc = "still full")
@Outcome(id = "1, 1, 14", expect = ACCEPTABLE, desc = "room was seen, and used")
@Outcome(expect = FORBIDDEN, desc = "a record overwritten while it was read, lost, or doubled")
@State
public class RingFull {
    private final RingStage stage = new RingStage(0);

    public RingFull() {
        for (int value = 1; value <= 4; value++) {
            stage.send(RingStage.GREATEST, value);
        }
    }

    @Actor
    public void producer(III_Result seen) {
        seen.r2 = stage.send(RingStage.GREATEST, 5) ? 1 : 0;
    }

    @Actor
    public void consumer(III_Result seen) {
        seen.r1 = stage.receive();
        stage.consumer.release();
    }

    /** The sum of what is left. */
    @Arbiter
    public void afterwards(III_Result seen) {
        for (int value = stage.receive(); value != 0; value = stage.receive()) {
            seen.r3 += value;
        }
    }
}
