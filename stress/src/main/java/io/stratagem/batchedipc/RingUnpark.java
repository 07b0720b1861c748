package io.stratagem.batchedipc;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** A consumer that goes on by itself while it is woken knows whether a wake-up comes. */
@JCStressTest
@Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "a wake-up is sent, and expected")
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "none is sent, and none expected")
@Outcome(expect = FORBIDDEN, desc = "a wake-up that nobody expects, or one that never comes")
@State
public class RingUnpark {
    private final RingStage stage = new RingStage(0);

    public RingUnpark() {
        stage.consumer.parkIfEmpty();
    }

    @Actor
    public void producer(II_Result seen) {
        stage.send(8, 42);
        seen.r1 = stage.producer.mustWake() ? 1 : 0;
    }

    @Actor
    public void consumer(II_Result seen) {
        seen.r2 = stage.consumer.unpark() ? 1 : 0;
    }
}
