package io.stratagem.batchedipc;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** A consumer that parks while something is published is woken, or sees it. */
@JCStressTest
@Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "it saw the message, and does not park")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "it parks, and is woken")
@Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "it saw the message, and is woken all the same")
@Outcome(expect = FORBIDDEN, desc = "it sleeps beside a message")
@State
public class RingPark {
    private final RingStage stage = new RingStage(0);

    @Actor
    public void producer(II_Result seen) {
        stage.send(8, 42);
        seen.r1 = stage.producer.mustWake() ? 1 : 0;
    }

    @Actor
    public void consumer(II_Result seen) {
        seen.r2 = stage.consumer.parkIfEmpty() ? 1 : 0;
    }
}
