package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The page as the application and the worker have it, here in one process. */
@Timeout(Patience.TEST_SECONDS)
final class TaskPageTest {
    private static final long BATCH = 5;

    @TempDir
    Path directory;

    private TaskPage page;
    private TaskPage workersPage;

    @BeforeEach
    void open() throws IOException {
        page = TaskPage.create(directory.resolve("page"));
        workersPage = TaskPage.open(directory.resolve("page"));
        page.prepare(BATCH);
    }

    private int[] revoked(long batch) {
        return IntStream.range(0, TaskPage.MAX_BATCH)
                .filter(index -> workersPage.isRevoked(batch, index))
                .toArray();
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "0, 1", "63, 64", "63, 65", "64, 128", "1, 63", "5, 7", "0, 4096", "4095, 4096", "100, 1000"})
    void revoke_ofTasksInARow_takesBackThoseAlone(int from, int to) {
        page.revoke(BATCH, from, to);

        assertThat(revoked(BATCH)).containsExactly(IntStream.range(from, to).toArray());
        assertThat(revoked(BATCH + 1)).isEmpty();
    }

    @Test
    void revoke_afterOthers_leavesThemTakenBack() {
        page.revoke(BATCH, 3);
        page.revoke(BATCH, 70, 72);

        assertThat(revoked(BATCH)).containsExactly(3, 70, 71);
    }

    @Test
    void revoke_ofABatchWhosePlaceIsAnothers_doesNothing() {
        page.prepare(BATCH + TaskPage.MAX_BATCHES);
        page.revoke(BATCH, 0, 10);

        assertThat(revoked(BATCH + TaskPage.MAX_BATCHES)).isEmpty();
    }

    /** A task that is run may have to wait for one before it: none runs behind one that was taken back. */
    @Test
    void revoke_whileTheWorkerGoesOn_leavesNoneBehindOneThatIsTakenBack() {
        for (int round = 0; round < 500; round++) {
            long batch = BATCH + round;
            page.prepare(batch);
            RacingThreads.run(() -> page.revoke(batch, 1, TaskPage.MAX_BATCH), () -> {
                while (!workersPage.isRevoked(batch, 1)) {
                    Thread.onSpinWait();
                }
                assertThat(workersPage.isRevoked(batch, TaskPage.MAX_BATCH - 1)).isTrue();
                assertThat(revoked(batch)).hasSize(TaskPage.MAX_BATCH - 1);
            });
        }
    }
}
