package io.stratagem.batchedipc;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** A record that does not fit before the end of the data is seen at its beginning, together with the padding. */
@JCStressTest
@Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "nothing published yet")
@Outcome(id = "0, 42", expect = ACCEPTABLE, desc = "published between the two looks")
@Outcome(id = "42, 0", expect = ACCEPTABLE, desc = "the second not published yet")
@Outcome(id = "42, 43", expect = ACCEPTABLE, desc = "both published whole")
@Outcome(expect = FORBIDDEN, desc = "the padding or what is behind it seen too early, or not at all")
@State
public class RingWrap {
    private final RingStage stage = new RingStage(Ring.MIN_CAPACITY - 16);

    @Actor
    public void producer() {
        stage.send(40, 42);
        stage.send(40, 43);
    }

    @Actor
    public void consumer(II_Result seen) {
        seen.r1 = stage.receive();
        seen.r2 = stage.receive();
    }
}
