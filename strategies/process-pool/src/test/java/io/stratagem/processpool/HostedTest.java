package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Fn;
import io.stratagem.Result;
import io.stratagem.TransferException;
import io.stratagem.WorkerDiedException;
import io.stratagem.Workload;
import io.stratagem.processpool.HostileWorkerTest.Connection;
import io.stratagem.processpool.spi.HostLine;
import io.stratagem.processpool.spi.Hosted;
import io.stratagem.processpool.spi.Hosts;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.net.URL;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What workers ask of what is hosted, right and wrong. */
final class HostedTest extends WorkerFixture {
    private static final int ECHO = 0;
    private static final int WAIT = 1;
    private static final int HANG = 2;
    private static final int THROW = 3;

    private final LogRecorder log = new LogRecorder();
    private final Host host = new Host();
    private final Handle handle = new Handle(Hosts.add(host));

    @BeforeEach
    void record() {
        log.attach(ProcessPoolStrategy.class.getName());
    }

    @AfterEach
    void remove() {
        log.detach();
        Hosts.remove(handle.id);
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // the compiler is to be deceived
    private static <E extends Throwable> E sneaky(Throwable checked) throws E {
        throw (E) checked;
    }

    private static final class Host implements Hosted {
        private final Set<Waiter> waiters = ConcurrentHashMap.newKeySet();
        private final List<@Nullable Object> takenBack = new CopyOnWriteArrayList<>();
        private final AtomicInteger hanging = new AtomicInteger();
        private volatile @Nullable Gate gate;

        @Override
        public String contents() {
            return "value of a test";
        }

        @Override
        public @Nullable Object apply(int operation, @Nullable Object[] arguments, Waiter waiter) {
            switch (operation) {
                case ECHO -> {
                    return arguments[0];
                }
                case WAIT -> {
                    waiters.add(waiter);
                    return LATER;
                }
                case HANG -> {
                    hanging.incrementAndGet();
                    Objects.requireNonNull(gate).awaitIgnoringInterrupts();
                    return null;
                }
                case THROW -> throw HostedTest.<RuntimeException>sneaky(new IOException("no such thing"));
                default -> throw new UnsupportedOperationException("there is no operation " + operation);
            }
        }

        @Override
        public boolean withdraw(Waiter waiter) {
            return waiters.remove(waiter);
        }

        @Override
        public void takeBack(int operation, @Nullable Object answer) {
            takenBack.add(String.valueOf(answer));
        }
    }

    /** What a task gets. */
    private static final class Handle implements Serializable {
        private static final long serialVersionUID = 1;
        private final UUID id;
        private transient @Nullable HostLine line;

        Handle(UUID id) {
            this.id = id;
        }

        private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
            in.defaultReadObject();
            line = ((HostLine.Source) in).hostLine(id, "value of a test");
        }

        HostLine line() {
            return Objects.requireNonNull(line);
        }

        Questions questions() {
            return Connection.get(Questions.class, Connection.get(HostExchange.class, line(), "this$0"), "questions");
        }

        /** Sends a question that does not keep to the rules, and gives its number. */
        int forge(int operation, boolean mayWait, int number, Consumer<Bytes> arguments) {
            Bytes frame = Objects.requireNonNull(Outbox.present()).question();
            frame.putInt(number);
            frame.putInt(1);
            frame.putLong(id.getMostSignificantBits());
            frame.putLong(id.getLeastSignificantBits());
            frame.putInt(operation);
            frame.putByte(mayWait ? 1 : 0);
            arguments.accept(frame);
            Objects.requireNonNull(Outbox.present()).ask(frame);
            return number;
        }
    }

    private static Workload<Handle, Object> task(Fn<Handle, Object> body) {
        return Workload.blocking("asking", body);
    }

    @Test
    void question_isAnsweredOnAThreadOfItsOwn() {
        assertThat(pool(1).run(
                                task(handle -> handle.line()
                                        .ask(ECHO, "a" + handle.line().ask(ECHO, 5))),
                                handle)
                        .orElseThrow())
                .isEqualTo("a5");
    }

    @Test
    void stream_hereIsNoWay() throws Exception {
        Codec codec = new Codec(HostedTest.class.getClassLoader(), Filters.fromApplication());
        Bytes bytes = new Bytes();
        codec.write(bytes, handle, "handle");
        assertThat(((Handle) Objects.requireNonNull(codec.read(bytes, "handle"))).line)
                .isNull();
    }

    @Test
    void wrongQuestions_getAnErrorForAnAnswer() {
        WorkerProcessStrategy pool = pool(1);
        long pid = pool.run(PID, 0).orElseThrow();
        assertThat(causeOf(pool.run(task(handle -> handle.line().ask(99)), handle)))
                .isInstanceOf(UnsupportedOperationException.class);
        assertThat(causeOf(pool.run(task(handle -> handle.line().ask(ECHO)), handle)))
                .isInstanceOf(ArrayIndexOutOfBoundsException.class);
        assertThat(causeOf(pool.run(task(handle -> handle.line().ask(THROW)), handle)))
                .isInstanceOf(TransferException.class)
                .hasMessageContaining("no such thing");
        assertThat(causeOf(pool.run(task(handle -> handle.line().ask(ECHO, "a")), new Handle(UUID.randomUUID()))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThat(causeOf(pool.run(task(handle -> handle.line().ask(ECHO, handle)), handle)))
                .isInstanceOf(TransferException.class)
                .hasMessageStartingWith("value of a test cannot be rebuilt")
                .hasMessageContaining("not allowed");
        assertThat(pool.run(PID, 0).orElseThrow()).isEqualTo(pid);
    }

    @Test
    void garbage_getsAnErrorForAnAnswer() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Workload<Handle, Object> sending = task(handle -> {
            CompletableFuture<Bytes> answer = new CompletableFuture<>();
            handle.forge(ECHO, false, handle.questions().open(answer::complete), frame -> {
                frame.putVarInt(1);
                frame.putByte(77);
            });
            return (int) answer.get().getByte();
        });
        assertThat(pool.run(sending, handle).orElseThrow()).isEqualTo((int) Frames.FAILURE);
        assertUsable(pool);
    }

    /** Each of these workers waits for nothing, so nothing else ends it. */
    private void assertKilled(Fn<Handle, Object> misdeed) {
        WorkerProcessStrategy pool = pool(1);
        long pid = pool.run(PID, 0).orElseThrow();
        assertThat(causeOf(pool.run(task(misdeed), handle))).isInstanceOf(WorkerDiedException.class);
        log.await("pid " + pid + ") sent what cannot be read");
        assertUsable(pool);
    }

    private static Object park() throws InterruptedException {
        Thread.sleep(Patience.LIMIT.toMillis());
        return "nobody has killed it";
    }

    @Test
    void moreQuestionsThanAllowed_areTheEndOfTheWorker() throws Exception {
        Gate gate = gate();
        host.gate = gate;
        assertKilled(handle -> {
            for (int i = 0; i <= Allowance.SOON; i++) {
                handle.forge(HANG, false, 1_000 + i, frame -> frame.putVarInt(0));
            }
            return park();
        });
        assertThat(host.waiters).isEmpty();
        gate.open();
    }

    @Test
    void moreWaitersThanAllowed_areTheEndOfTheWorker() {
        assertKilled(handle -> {
            for (int i = 0; i <= Allowance.LATER; i++) {
                handle.forge(WAIT, true, 10_000 + i, frame -> frame.putVarInt(0));
            }
            return park();
        });
        Patience.await().until(host.waiters::isEmpty);
    }

    @Test
    void moreBytesThanAllowed_areTheEndOfTheWorker() {
        Gate gate = gate();
        host.gate = gate;
        assertKilled(handle -> {
            for (int i = 0; i < 3; i++) {
                handle.forge(HANG, false, 1_000 + i, frame -> {
                    frame.putVarInt(1);
                    frame.putBytes(new byte[10 << 20], 0, 10 << 20);
                });
            }
            return park();
        });
        gate.open();
    }

    @Test
    void secondQuestionOfANumber_isTheEndOfTheWorker() {
        assertKilled(handle -> {
            handle.forge(WAIT, true, 1_000, frame -> frame.putVarInt(0));
            handle.forge(WAIT, true, 1_000, frame -> frame.putVarInt(0));
            return park();
        });
    }

    @Test
    void withdrawals_ofWhatIsNotThere_areIgnored() {
        WorkerProcessStrategy pool = pool(1);
        Workload<Handle, Object> sending = task(handle -> {
            for (int i = 0; i < 100_000; i++) {
                Objects.requireNonNull(Outbox.present()).withdraw(i);
            }
            return handle.line().await(WAIT, 1_000_000);
        });
        assertThat(pool.run(sending, handle)).isEqualTo(Result.success(null));
        assertThat(host.waiters).isEmpty();
    }

    @Test
    void hangingHost_holdsUpItsWorkerOnly() throws Exception {
        Gate gate = gate();
        host.gate = gate;
        WorkerProcessStrategy pool = pool(2);
        CompletableFuture<Result<Object>> hanging =
                pool.submit(task(handle -> String.valueOf(handle.line().ask(HANG))), handle);
        Patience.await().until(() -> host.hanging.get() == 1);
        Workload<Handle, Object> echoing = task(handle -> handle.line().ask(ECHO, 1));
        assertThat(Patience.get(pool.submit(echoing, handle)).orElseThrow()).isEqualTo(1);
        assertThat(hanging).isNotDone();
        gate.open();
        assertThat(Patience.get(hanging).orElseThrow()).isEqualTo("null");
    }

    /** A class is found although the same worker waits for what is hosted. */
    @Test
    void hangingHost_holdsUpNoClasses() throws Exception {
        Gate gate = gate();
        host.gate = gate;
        Gate hanging = gate();
        Workload<Handle, Object> both = task(handle -> {
            handle.forge(HANG, false, handle.questions().open(answer -> {}), frame -> frame.putVarInt(0));
            hanging.await();
            return Thread.currentThread().getContextClassLoader().getResource("a-thing") != null;
        });
        AtomicInteger asked = new AtomicInteger();
        ClassLoader loader = new ClassLoader(HostedTest.class.getClassLoader()) {
            @Override
            protected @Nullable URL findResource(String name) {
                asked.addAndGet(name.equals("a-thing") ? 1 : 0);
                return null;
            }
        };
        Thread.currentThread().setContextClassLoader(loader);
        CompletableFuture<Result<Object>> found;
        try {
            found = pool(1).submit(both, handle);
        } finally {
            Thread.currentThread().setContextClassLoader(HostedTest.class.getClassLoader());
        }
        Patience.await().until(() -> host.hanging.get() == 1);
        hanging.open();
        assertThat(Patience.get(found).orElseThrow()).isEqualTo(false);
        assertThat(asked).hasValue(1);
        gate.open();
    }

    /** Its desk has no time to send the first answer before the worker dies. */
    @Test
    void answerThatWasNotSent_isTakenBack() throws Exception {
        Gate gate = gate();
        host.gate = gate;
        CompletableFuture<Result<Object>> dying = pool(1).submit(
                        task(handle -> {
                            handle.forge(WAIT, true, 1_000, frame -> frame.putVarInt(0));
                            handle.forge(HANG, false, 1_001, frame -> frame.putVarInt(0));
                            return park();
                        }),
                        handle);
        Patience.await().until(() -> host.hanging.get() == 1);
        Hosted.Waiter waiter = host.waiters.iterator().next();

        assertThat(waiter.answer("in time")).isTrue();
        dying.cancel(true);

        Patience.await().until(() -> host.takenBack.equals(List.of("in time")));
        assertThat(waiter.answer("late")).isFalse();
        gate.open();
    }

    @Test
    void answerToAWorkerThatHasDied_isNotTaken() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        CompletableFuture<Result<Object>> dying =
                pool.submit(task(handle -> handle.line().await(WAIT, HostLine.FOR_EVER)), handle);
        Patience.await().until(() -> host.waiters.size() == 1);
        Hosted.Waiter waiter = host.waiters.iterator().next();
        dying.cancel(true);
        Patience.await().until(host.waiters::isEmpty);
        assertThat(waiter.answer("late")).isFalse();
        assertThat(host.takenBack).isEmpty();
    }
}
