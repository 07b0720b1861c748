package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import org.junit.jupiter.api.Test;

/** Interrupts that meet a thread at its connection, which they would close. */
final class InterruptTest extends WorkerFixture {
    private static final Workload<Object, Object> ECHO = Workload.blocking("echo", input -> input);

    private WorkerProcessStrategy trusting() {
        return pool(1, options -> options.allowPackage("io.stratagem.processpool"));
    }

    private static void assertEchoed(WorkerProcessStrategy pool, String name) {
        long pid = pool.run(PID, 0).orElseThrow();

        Result<Object> result = pool.run(ECHO, new Hooked(name));

        assertThat(result.map(value -> ((Hooked) value).name()).orElseThrow()).isEqualTo(name);
        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    @Test
    void interrupt_leftBehindWhereAnInputIsSerialised_doesNoHarm() {
        Hooked.whenWritten("input", () -> Thread.currentThread().interrupt());

        assertEchoed(trusting(), "input");
    }

    @Test
    void interrupt_leftBehindWhereAResultIsRebuilt_doesNoHarm() {
        Hooked.whenRead("result", () -> Thread.currentThread().interrupt());

        assertEchoed(trusting(), "result");
    }

    @Test
    void interrupt_leftBehindWhereTheInitializerIsSerialised_doesNoHarm() {
        Hooked.whenWritten("captured", () -> Thread.currentThread().interrupt());
        Hooked captured = new Hooked("captured");
        WorkerProcessStrategy pool =
                pool(1, options -> options.initializer(() -> System.setProperty("hooked", captured.name())));

        assertUsable(pool);
    }

    @Test
    void interrupt_leftBehindByTheInitializer_doesNoHarm() {
        WorkerProcessStrategy pool = pool(
                1, options -> options.initializer(() -> Thread.currentThread().interrupt()));

        assertThat(pool.run(
                                Workload.blocking(
                                        "look", input -> Thread.currentThread().isInterrupted()),
                                0)
                        .orElseThrow())
                .isFalse();
    }

    /** Interrupts whoever serialises it. */
    private static final class Interrupting implements Serializable {
        private static final long serialVersionUID = 1;

        private void writeObject(ObjectOutputStream out) throws IOException {
            out.defaultWriteObject();
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void interrupt_leftBehindWhereAResultIsSerialised_doesNoHarm() {
        WorkerProcessStrategy pool = trusting();
        long pid = pool.run(PID, 0).orElseThrow();

        Result<Object> result = pool.run(Workload.blocking("interrupting", input -> new Interrupting()), 0);

        assertThat(result.orElseThrow()).isInstanceOf(Interrupting.class);
        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    @Test
    void interrupt_betweenTwoTasks_meetsNeither() {
        WorkerProcessStrategy pool = pool(1);
        Gate gate = gate();
        Journal journal = journal();
        long pid = pool.run(
                        Workload.blocking("leaving an interrupter", input -> {
                            Thread tasks = Thread.currentThread();
                            Thread interrupter = new Thread(() -> {
                                gate.awaitIgnoringInterrupts();
                                tasks.interrupt();
                                journal.enter();
                            });
                            interrupter.setDaemon(true);
                            interrupter.start();
                            return ProcessHandle.current().pid();
                        }),
                        0)
                .orElseThrow();
        gate.open();
        Patience.await().until(() -> journal.entered() == 1);

        Result<Boolean> next = pool.run(
                Workload.blocking("look", input -> Thread.currentThread().isInterrupted()), 0);

        assertThat(next.orElseThrow()).isFalse();
        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    @Test
    void interrupt_ofARunningTask_reachesIt() {
        WorkerProcessStrategy pool = pool(1);

        Result<String> result = pool.run(
                Workload.blocking("interrupted", input -> {
                    Thread tasks = Thread.currentThread();
                    new Thread(tasks::interrupt).start();
                    try {
                        Faults.Way.WAIT.happen();
                        return "not interrupted";
                    } catch (IllegalStateException e) {
                        return e.getCause().getClass().getSimpleName();
                    }
                }),
                0);

        assertThat(result.orElseThrow()).isEqualTo("InterruptedException");
    }
}
