package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Result;
import io.stratagem.testkit.Patience;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An application that has no more threads. */
final class ThreadShortageTest {
    @TempDir
    Path directory;

    /** An application that takes all the threads that it can have, and gives them back later. */
    static final class Greedy {
        private Greedy() {}

        public static void main(String[] arguments) throws InterruptedException {
            CountDownLatch end = new CountDownLatch(1);
            List<Thread> taken = new ArrayList<>();
            try (ProcessPoolStrategy pool = ProcessPoolStrategy.builder()
                    .workerProcesses(2)
                    .maxHeapBytes(64 << 20)
                    .build()) {
                takeAll(taken, end);
                Result<Long> result = pool.run(WorkerFixture.PID, 0);
                System.out.println("then: " + WorkerFixture.causeOf(result).getMessage());
                end.countDown();
                for (Thread each : taken) {
                    each.join();
                }
                Patience.await().until(() -> pool.run(WorkerFixture.PID, 0).isSuccess());
                System.out.println("later: success");
            }
        }

        private static void takeAll(List<Thread> taken, CountDownLatch end) {
            while (true) {
                Thread thread = new Thread(() -> {
                    try {
                        end.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                });
                thread.setDaemon(true);
                try {
                    thread.start();
                } catch (OutOfMemoryError e) {
                    return;
                }
                taken.add(thread);
            }
        }
    }

    @Test
    void tasks_forWhichThereIsNoThread_failAndLaterOnesRun() throws Exception {
        List<String> printed =
                new JvmRun().options("-Xss256m").maxAddressKilobytes(12_000_000).lines(directory, Greedy.class);

        assertThat(printed).anyMatch(line -> line.startsWith("then: there is no thread for"));
        assertThat(printed).contains("later: success");
    }
}
