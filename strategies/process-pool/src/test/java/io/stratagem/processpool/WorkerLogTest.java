package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.google.common.util.concurrent.Uninterruptibles;
import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.testkit.Gate;
import io.stratagem.testkit.Journal;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** What workers print and log appears in the log of the application. */
final class WorkerLogTest extends WorkerFixture {
    private static final String PRINTED = "io.stratagem.worker";
    private static final String LOGGER = "faults.logger";
    private static final String WORKER = "stratagem-faults-worker-1";

    private final LogRecorder printed = new LogRecorder();
    private final LogRecorder logged = new LogRecorder();

    @BeforeEach
    void record() {
        printed.attach(PRINTED);
        logged.attach(LOGGER);
    }

    @AfterEach
    void recordNoMore() {
        printed.detach();
        logged.detach();
    }

    @Test
    void lines_thatAWorkerPrints_appearWithItsName() {
        WorkerProcessStrategy pool = pool(1);

        pool.run(
                Workload.blockingAction("printing", input -> {
                    System.out.println("to the output");
                    System.err.println("to the error output");
                }),
                0);

        ILoggingEvent out = printed.await("to the output");
        assertThat(out.getLevel()).isEqualTo(Level.INFO);
        assertThat(out.getFormattedMessage()).isEqualTo(WORKER + ": to the output");
        ILoggingEvent err = printed.await("to the error output");
        assertThat(err.getLevel()).isEqualTo(Level.WARN);
        assertThat(err.getFormattedMessage()).isEqualTo(WORKER + ": to the error output");
    }

    @Test
    void events_thatAWorkerLogs_appearWithLevelLoggerMdcAndException() {
        WorkerProcessStrategy pool = pool(1);

        MDC.put("request", "r-17");
        try {
            pool.run(
                    Workload.blockingAction("logging", input -> {
                        MDC.put("step", "second");
                        LoggerFactory.getLogger(LOGGER)
                                .error("{} of {} failed", 3, 4, new IllegalStateException("really"));
                        LoggerFactory.getLogger(LOGGER).info("plain");
                        LoggerFactory.getLogger(LOGGER).debug("hidden");
                    }),
                    0);
        } finally {
            MDC.remove("request");
        }

        ILoggingEvent event = logged.await("3 of 4 failed");
        assertThat(event.getLevel()).isEqualTo(Level.ERROR);
        assertThat(event.getLoggerName()).isEqualTo(LOGGER);
        assertThat(event.getFormattedMessage()).startsWith(WORKER);
        assertThat(event.getMDCPropertyMap())
                .containsEntry("request", "r-17")
                .containsEntry("step", "second")
                .containsEntry("worker", WORKER);
        assertThat(event.getThrowableProxy().getClassName()).isEqualTo(IllegalStateException.class.getName());
        assertThat(event.getThrowableProxy().getMessage()).isEqualTo("really");
        assertThat(logged.await("plain").getLevel()).isEqualTo(Level.INFO);
        assertThat(logged.find("hidden")).as("below the level of the pool").isEmpty();
    }

    /** Logs while it is serialised. */
    private static final class Talkative extends Exception {
        private static final long serialVersionUID = 1;

        Talkative() {
            super("outer words");
        }

        private void writeObject(ObjectOutputStream out) throws IOException {
            LoggerFactory.getLogger(LOGGER).warn("inner words");
            out.defaultWriteObject();
        }
    }

    @Test
    void exception_thatLogsWhileItIsLogged_doesNotSpoilTheLog() {
        WorkerProcessStrategy pool = pool(1);
        long pid = pool.run(PID, 0).orElseThrow();

        pool.run(
                Workload.blockingAction(
                        "logging", input -> LoggerFactory.getLogger(LOGGER).error("failed", new Talkative())),
                0);

        assertThat(logged.await("inner words").getLevel()).isEqualTo(Level.WARN);
        assertThat(logged.await("failed").getThrowableProxy().getMessage()).isEqualTo("outer words");
        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    @Test
    void events_belowInfo_appearIfThePoolAsksForThem() {
        WorkerProcessStrategy pool = pool(1, options -> options.logLevel(org.slf4j.event.Level.TRACE));

        pool.run(
                Workload.blockingAction(
                        "logging", input -> LoggerFactory.getLogger(LOGGER).trace("fine")),
                0);

        assertThat(logged.await("fine").getLevel()).isEqualTo(Level.TRACE);
    }

    @Test
    void lastWords_ofAWorkerThatHalts_appear() {
        WorkerProcessStrategy pool = pool(1);

        Result<Void> result = pool.run(
                Workload.blockingAction("dying", input -> {
                    LoggerFactory.getLogger(LOGGER).warn("last event");
                    System.out.println("last line");
                    Runtime.getRuntime().halt(1);
                }),
                0);

        assertThat(causeOf(result)).hasMessageContaining("last line");
        logged.await("last event");
        printed.await("last line");
    }

    /** However far the application has read by then. */
    @Test
    void lines_printedBeforeAWorkerIsKilled_allAppear() throws Exception {
        WorkerProcessStrategy pool = pool(1);
        Journal journal = journal();
        Gate gate = gate();
        CountDownLatch isDead = new CountDownLatch(1);
        AppenderBase<ILoggingEvent> slow = new AppenderBase<>() {
            @Override
            protected void append(ILoggingEvent event) {
                var unused = Uninterruptibles.awaitUninterruptibly(isDead, Patience.LIMIT);
            }
        };
        slow.start();
        Logger logger = (Logger) LoggerFactory.getLogger(PRINTED);
        logger.addAppender(slow);
        try {
            CompletableFuture<Result<Integer>> hanging = pool.submit(
                    Workload.blocking("hanging", input -> {
                        for (int i = 0; i < 500; i++) { // less than a pipe takes, and more than the reader's buffers
                            System.out.println("line " + i + " of what is printed before it hangs, filled up");
                        }
                        journal.add("" + ProcessHandle.current().pid());
                        gate.await();
                        return input;
                    }),
                    0);
            Patience.await().until(() -> !journal.entries().isEmpty());
            long pid = Long.parseLong(journal.entries().get(0));
            hanging.cancel(true);
            Patience.await()
                    .until(() ->
                            ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty());
        } finally {
            isDead.countDown();
            logger.detachAppender(slow);
        }
        printed.await("line 499 of");
    }

    @Test
    void logging_byAnInterruptedTask_leavesItsWorkerAndTheInterruptAlone() {
        WorkerProcessStrategy pool = pool(1);
        long pid = pool.run(PID, 0).orElseThrow();

        Result<Boolean> result = pool.run(
                Workload.blocking("interrupted", input -> {
                    Thread.currentThread().interrupt();
                    LoggerFactory.getLogger(LOGGER).info("interrupted");
                    return Thread.currentThread().isInterrupted();
                }),
                0);

        assertThat(result.orElseThrow()).isTrue();
        logged.await("interrupted");
        assertThat(pool.run(PID, 0).orElseThrow()).isEqualTo(pid);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void logging_whoseApplicationSideThrows_doesNotHarmTheWorker(boolean anError) {
        AppenderBase<ILoggingEvent> broken = new AppenderBase<>() {
            @Override
            public synchronized void doAppend(ILoggingEvent event) {
                if (anError) {
                    throw new NoClassDefFoundError("the log is broken");
                }
                throw new IllegalStateException("the log is broken");
            }

            @Override
            protected void append(ILoggingEvent event) {}
        };
        List<Logger> loggers =
                List.of((Logger) LoggerFactory.getLogger(PRINTED), (Logger) LoggerFactory.getLogger(LOGGER));
        loggers.forEach(logger -> logger.addAppender(broken));
        try {
            WorkerProcessStrategy pool = pool(1);
            Workload<Integer, Long> talking = Workload.blocking("talking", input -> {
                System.out.println("line".repeat(50_000)); // more than fits into a pipe
                LoggerFactory.getLogger(LOGGER).info("event");
                return ProcessHandle.current().pid();
            });

            long pid = pool.run(talking, 0).orElseThrow();

            assertThat(pool.run(talking, 0).orElseThrow()).isEqualTo(pid);
        } finally {
            loggers.forEach(logger -> logger.detachAppender(broken));
        }
    }

    @Test
    void flood_ofPrintedLines_neitherStallsNorKillsTheWorker() {
        WorkerProcessStrategy pool = pool(1);
        int lines = 200_000;
        long pid = pool.run(PID, 0).orElseThrow();

        Result<Long> result = pool.run(
                Workload.blocking("flooding", input -> {
                    var out = new java.io.PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), false);
                    for (int i = 0; i < lines; i++) {
                        out.println("line " + i);
                    }
                    for (int i = 0; i < lines / 10; i++) {
                        System.err.println("error " + i);
                    }
                    out.flush();
                    System.out.print("x".repeat(1 << 20)); // a line without an end
                    System.out.flush();
                    return ProcessHandle.current().pid();
                }),
                0);

        assertThat(result.orElseThrow()).isEqualTo(pid);
        assertThat(pool.run(PID, 0).orElseThrow()).isEqualTo(pid);
        Patience.await().until(() -> printed.number() >= lines + lines / 10);
    }

    @Test
    void flood_ofEvents_neitherStallsNorKillsTheWorker() {
        WorkerProcessStrategy pool = pool(1);
        int events = 50_000;

        Result<Integer> result = pool.run(
                Workload.blocking("flooding", input -> {
                    for (int i = 0; i < events; i++) {
                        LoggerFactory.getLogger(LOGGER).info("event {}", i);
                    }
                    return input;
                }),
                1);

        assertThat(result.orElseThrow()).isEqualTo(1);
        assertThat(logged.number()).isEqualTo(events);
    }

    @Test
    void events_ofAnIdleWorker_arriveAtOnce() {
        WorkerProcessStrategy pool = pool(1);
        Gate gate = gate();
        pool.run(
                Workload.blocking("leaves a thread", input -> {
                    Thread thread = new Thread(() -> {
                        gate.awaitIgnoringInterrupts();
                        LoggerFactory.getLogger(LOGGER).warn("later");
                    });
                    thread.setDaemon(true);
                    thread.start();
                    return input;
                }),
                0);

        gate.open();

        logged.await("later");
        assertUsable(pool);
    }

    @Test
    void events_ofAShutdownHook_arriveBeforeThePoolIsClosed() {
        WorkerProcessStrategy pool = pool(1);
        pool.run(
                Workload.blocking("has a hook", input -> {
                    Runtime.getRuntime()
                            .addShutdownHook(new Thread(
                                    () -> LoggerFactory.getLogger(LOGGER).warn("last words")));
                    return input;
                }),
                0);

        pool.close();

        assertThat(logged.find("last words")).isPresent();
    }

    @Test
    void event_thatIsTooLarge_appearsCutOff() {
        WorkerProcessStrategy pool = pool(1, options -> options.maxMessageBytes(100_000));
        long pid = pool.run(PID, 0).orElseThrow();

        pool.run(
                        Workload.blocking("talkative", input -> {
                            LoggerFactory.getLogger(LOGGER).info("message " + "x".repeat(input));
                            LoggerFactory.getLogger(LOGGER)
                                    .info("exception", new IllegalStateException("y".repeat(input)));
                            return input;
                        }),
                        3_000_000)
                .orElseThrow();

        assertThat(logged.await("message xxx").getFormattedMessage())
                .hasSizeLessThan(10_000)
                .contains("cut off", "limit of");
        assertThat(logged.await("exception").getThrowableProxy().getMessage()).contains("limit of");
        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }
}
