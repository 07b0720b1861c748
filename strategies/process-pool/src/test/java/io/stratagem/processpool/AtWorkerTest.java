package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.testkit.Patience;
import java.util.List;
import org.junit.jupiter.api.Test;

final class AtWorkerTest {
    private static final int WORKLOAD = 7;

    private final AtWorker atWorker = new AtWorker();

    private Sent sent(long id) {
        Sent sent = new Sent(id, List.of(), WORKLOAD, null, 1, 100, false, null, 0);
        atWorker.add(sent);
        return sent;
    }

    /** Which rebuilds the results of the batch before it. */
    @Test
    void batch_thatIsDoneSoon_isShortHoweverLateTheDriverLooks() {
        Sent sent = sent(1);
        Patience.await().until(() -> sent.ageNanos() > AtWorker.SHORT_NANOS);

        sent.ran(AtWorker.SHORT_NANOS - 1);
        atWorker.settled(sent);

        assertThat(atWorker.wasShort(WORKLOAD)).isTrue();
    }

    @Test
    void batch_thatTakesAWhile_isNotShort() {
        Sent sent = sent(1);

        sent.ran(AtWorker.SHORT_NANOS);
        atWorker.settled(sent);

        assertThat(atWorker.wasShort(WORKLOAD)).isFalse();
    }
}
