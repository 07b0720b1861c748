package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.ListeningExecutorService;
import io.stratagem.TransferException;
import io.stratagem.WorkerDiedException;
import io.stratagem.processpool.Faults.Way;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import java.io.Serializable;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the {@code ExecutorService} view is only over processes: commands travel, or fail at once; workers are killed. */
final class ExecutorServiceTest extends WorkerFixture {
    private static final Callable<Long> WORKER_PID =
            (Callable<Long> & Serializable) () -> ProcessHandle.current().pid();

    /** What of the commands ran in this JVM. */
    private final List<String> ranHere = new CopyOnWriteArrayList<>();

    /** Serialisable itself, and what it has is not. */
    private static final class Heavy implements Callable<Integer>, Runnable, Serializable {
        private static final long serialVersionUID = 1;

        @SuppressWarnings("serial") // on purpose
        private final List<Object> parts;

        Heavy(Object part) {
            parts = List.of(1, part);
        }

        @Override
        public Integer call() {
            return parts.size();
        }

        @Override
        public void run() {
            throw new IllegalStateException("has " + parts.size());
        }
    }

    private ListeningExecutorService view() {
        return pool(1).asExecutorService();
    }

    private Callable<Integer> bound() {
        return () -> {
            ranHere.add("callable");
            return 1;
        };
    }

    private static void assertEnds(ListeningExecutorService view) throws InterruptedException {
        view.shutdown();
        assertThat(view.awaitTermination(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS))
                .isTrue();
    }

    private static void assertUntransferable(Future<?> future, String className) {
        assertThat(future).isDone();
        assertThatThrownBy(future::get)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(TransferException.class)
                .hasMessageStartingWith("input of workload 'executor-service' cannot be serialised: ")
                .hasMessageContaining(className)
                .hasMessageContaining("is not Serializable");
    }

    // ---------------------------------------------------------------------------------------------- what travels

    @Test
    void submit_notSerializable_hasFailedAtOnceAndNeverRuns() throws Exception {
        ListeningExecutorService view = view();
        String name = getClass().getName();
        assertUntransferable(view.submit(bound()), name);
        assertUntransferable(view.submit(() -> ranHere.add("runnable"), "done"), name);
        assertThatThrownBy(view.submit(() -> ranHere.add("runnable"), "done")::get)
                .hasMessageContaining("cast, as in (Callable<String> & Serializable)");
        for (Future<Integer> future : view.invokeAll(List.of(bound(), bound()))) {
            assertUntransferable(future, name);
        }
        Future<Integer> heavy = view.submit((Callable<Integer>) new Heavy(new Object()));
        assertUntransferable(heavy, "java.lang.Object");
        assertThatThrownBy(heavy::get).hasMessageContaining("at Heavy.parts[1]");

        assertThat(view.isTerminated()).isFalse();
        assertEnds(view);
        assertThat(ranHere).isEmpty();
    }

    /** Nobody would ask for its outcome. */
    @Test
    void execute_notSerializable_throwsAndNeverRuns() throws Exception {
        ListeningExecutorService view = view();
        assertThatThrownBy(() -> view.execute(() -> ranHere.add("runnable"))).isInstanceOf(TransferException.class);
        assertThatThrownBy(() -> view.execute(new Heavy(new Object())))
                .isInstanceOf(TransferException.class)
                .hasMessageContaining("at Heavy.parts[1]");
        assertEnds(view);
        assertThat(ranHere).isEmpty();
    }

    @Test
    void invokeAny_someNotSerializable_givesWhatAnotherGives() throws Exception {
        ListeningExecutorService view = view();
        assertThat(view.invokeAny(List.of(bound(), new Heavy(2)))).isEqualTo(2);
        assertThatThrownBy(() -> view.invokeAny(List.of(bound(), bound())))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(TransferException.class);
        assertEnds(view);
        assertThat(ranHere).isEmpty();
    }

    @Test
    void submit_tooLarge_hasFailedAtOnce() throws Exception {
        ListeningExecutorService view =
                pool(1, options -> options.maxMessageBytes(100_000)).asExecutorService();
        byte[] large = new byte[200_000];
        Future<Integer> future = view.submit((Callable<Integer> & Serializable) () -> large.length);
        assertThat(future).isDone();
        assertThatThrownBy(future::get)
                .cause()
                .isInstanceOf(TransferException.class)
                .hasMessageContaining("100000 bytes");
        byte[] small = new byte[90_000];
        assertThat(Patience.get(view.submit((Callable<Integer> & Serializable) () -> small.length)))
                .isEqualTo(90_000);
    }

    @Test
    void submit_resultNotSerializable_failsThatCallOnly() throws Exception {
        ListeningExecutorService view = view();
        Future<Object> future = view.submit((Callable<Object> & Serializable) Object::new);
        assertThatThrownBy(() -> Patience.get(future))
                .cause()
                .isInstanceOf(TransferException.class)
                .hasMessageStartingWith("result of workload 'executor-service'");
        assertThat(Patience.get(view.submit(WORKER_PID)))
                .isNotEqualTo(ProcessHandle.current().pid());
    }

    /** Its state is that of the moment when it was handed in. */
    @Test
    void submit_changedAfterwards_runsAsItWas() throws Exception {
        ListeningExecutorService view = view();
        Gate gate = gate();
        Future<?> first = view.submit((Runnable & Serializable) gate::awaitIgnoringInterrupts);
        int[] number = {1};
        Future<Integer> second = view.submit((Callable<Integer> & Serializable) () -> number[0]);
        number[0] = 2;
        gate.open();
        Patience.get(first);
        assertThat(Patience.get(second)).isEqualTo(1);
    }

    // ---------------------------------------------------------------------------------------------- deaths

    @ParameterizedTest
    @EnumSource(names = {"EXIT", "SEGFAULT", "OUT_OF_MEMORY"})
    void submit_workerDies_failsThatCallOnly(Way way) throws Exception {
        ListeningExecutorService view = view();
        Future<?> future = view.submit((Runnable & Serializable) way::happen);
        Future<Long> next = view.submit(WORKER_PID);
        assertThatThrownBy(() -> Patience.get(future))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(WorkerDiedException.class)
                .hasMessageContaining("workload 'executor-service'");
        assertThat(Patience.get(next)).isPositive();
    }

    /** The ways to end a call that ignores everything. */
    enum End {
        CANCEL,
        SHUTDOWN_NOW,
        CLOSE_NOW
    }

    @ParameterizedTest
    @EnumSource
    void awaitTermination_ofAHangingCall_returnsWhenItsProcessIsGone(End end) throws Exception {
        WorkerProcessStrategy pool = pool(1);
        ListeningExecutorService view = pool.asExecutorService();
        // The next one must be no reason to wait before it is killed.
        assertThat(Patience.get(view.submit(WORKER_PID))).isPositive();
        Journal journal = journal();
        Future<?> hanging = view.submit((Runnable & Serializable) () -> {
            journal.add("" + ProcessHandle.current().pid());
            Way.HANG.happen();
        });
        Patience.await().until(() -> !journal.entries().isEmpty());
        long pid = Long.parseLong(journal.entries().get(0));

        switch (end) {
            case CANCEL -> assertThat(hanging.cancel(true)).isTrue();
            case SHUTDOWN_NOW -> assertThat(view.shutdownNow()).isEmpty();
            case CLOSE_NOW -> pool.closeNow();
        }

        assertEnds(view);
        assertThat(isGone(pid)).isTrue();
        Patience.await().until(hanging::isCancelled);
        if (end != End.CLOSE_NOW) {
            assertUsable(pool);
        }
    }

    /** Short calls say nothing of the next: it is not sent to a worker that is busy, where nobody could take it back. */
    @Test
    void shutdownNow_afterShortCalls_returnsAllThatWait() throws Exception {
        ListeningExecutorService view = view();
        assertThat(Patience.get(view.submit(WORKER_PID))).isPositive();
        Journal journal = journal();
        Gate gate = gate();
        List<Runnable> waiting = Stream.<Runnable>generate(() -> (Runnable & Serializable) () -> journal.add("ran"))
                .limit(3)
                .toList();
        for (int i = 0; i < 30; i++) {
            view.execute((Runnable & Serializable) () -> {});
        }
        Future<?> running = view.submit((Runnable & Serializable) () -> {
            journal.enter();
            gate.awaitIgnoringInterrupts();
        });
        waiting.forEach(view::execute);
        Patience.await().until(() -> journal.inside() == 1);

        assertThat(view.shutdownNow()).containsExactlyInAnyOrderElementsOf(waiting);

        assertEnds(view);
        assertThat(running.isCancelled()).isTrue();
        assertThat(journal.count("ran")).isZero();
    }
}
