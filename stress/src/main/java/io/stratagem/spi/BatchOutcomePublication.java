package io.stratagem.spi;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.stratagem.Result;
import io.stratagem.spi.Stage.Value;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** Who reads how many outcomes there are sees them: results with all they hold, and how they were run. */
@JCStressTest
@Outcome(id = "0, 0, 0", expect = ACCEPTABLE, desc = "none published yet")
@Outcome(id = "1, 42, 1", expect = ACCEPTABLE, desc = "the first published whole")
@Outcome(id = "2, 42, 1", expect = ACCEPTABLE, desc = "both published")
@Outcome(expect = FORBIDDEN, desc = "number of outcomes seen before an outcome, its value, or its record")
@State
public class BatchOutcomePublication {
    private final Stage stage = new Stage(() -> new Value(42), () -> new Value(43));

    @Actor
    public void worker() {
        stage.batch.run(Stage.bound());
    }

    @Actor
    public void reader(III_Result seen) {
        seen.r1 = stage.batch.settled();
        if (seen.r1 > 0) {
            boolean isResult = stage.batch.slot(0) instanceof Result.Success<?>;
            seen.r2 = isResult ? ((Value) ((Result<?>) stage.batch.slot(0)).orElseThrow()).plain : -1;
            seen.r3 = isResult
                            && ((Result<?>) stage.batch.slot(0))
                                    .execution()
                                    .worker()
                                    .equals("bound")
                    ? 1
                    : -1;
        }
    }
}
