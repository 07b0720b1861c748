package io.stratagem.batchedipc;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * What is written in place is read whole in place, and what is being read is not overwritten. The ring is full, so
 * another message has room only when the first is given back.
 */
@JCStressTest
@Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "no room yet for the new one")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "the new one where the first was, which had been read")
@Outcome(expect = FORBIDDEN, desc = "overwritten while it was read, or given back and no room")
@State
public class RingInPlace {
    private final RingStage stage = new RingStage(0);

    public RingInPlace() {
        for (int value = 1; value <= 4; value++) {
            stage.sendInPlace(RingStage.GREATEST, value);
        }
    }

    @Actor
    public void producer(II_Result seen) {
        seen.r2 = stage.sendInPlace(RingStage.GREATEST, 5) ? 1 : 0;
    }

    @Actor
    public void consumer(II_Result seen) {
        seen.r1 = stage.receiveInPlace();
    }
}
