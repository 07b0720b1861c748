package io.stratagem.processpool;

import io.stratagem.TransferException;
import io.stratagem.processpool.Bytes.MalformedException;
import io.stratagem.processpool.Bytes.TooLargeException;
import io.stratagem.processpool.LoaderTable.Values;
import io.stratagem.processpool.spi.Hosted;
import io.stratagem.processpool.spi.Hosts;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Applies what one worker asks of what this JVM hosts, in turn, and answers. Its driver brings the questions; the work is
 * done by a thread of its own, which runs the application's code and writes to the worker. Either may hang, and then it
 * is this worker's questions that wait.
 */
/* Each question gets one answer, whatever happens, and until then counts against the worker's allowance. A question that
 * waits holds no thread: what is hosted has it in a list as a Waiter, and answers it from any thread, by a step that is
 * queued here. An answer that could not be written is given back, so that no element is lost that no worker has got.
 *
 * Nothing is called with the lock held. What is hosted calls answer() with its own lock held, and so takes this one after
 * its own.
 */
final class Desk {
    private static final Logger log = LoggerFactory.getLogger(ProcessPoolStrategy.class);
    private static final ClassLoader OWN_LOADER = Desk.class.getClassLoader();

    /** What only writes asks neither loader nor filter. */
    private static final Codec WRITER = new Codec(OWN_LOADER, Filters.fromApplication());

    private static final ThrowableCodec FAILURES = new ThrowableCodec(WRITER);

    private final WorkerProcess worker;
    private final Predicate<Bytes> line;
    private final Bytes answer;

    private final Object lock = new Object();

    // Guarded by the lock.
    private final Map<Integer, Asked> open = new HashMap<>();
    private final Deque<Step> steps = new ArrayDeque<>();
    private int soon;
    private int later;
    private boolean isClosed;

    /** Only the driver uses it. */
    private boolean isStarted;

    /**
     * Serves one worker.
     *
     * @param line writes an answer with room for its length before it; false if the worker has ended
     */
    Desk(WorkerProcess worker, Predicate<Bytes> line, int maxFrame) {
        this.worker = worker;
        this.line = line;
        this.answer = new Bytes(maxFrame);
    }

    private enum Action {
        APPLY,
        WITHDRAW,
        ANSWER,
        FAIL
    }

    /** What is to be done about a question; with the answer or the exception, if it has one. */
    private record Step(
            Asked asked, Action action, @Nullable Object value) {}

    private final class Asked implements Hosted.Waiter {
        private final int number;
        private final UUID id;
        private final int operation;
        private final boolean mayWait;
        private final int weight;

        /** Until it is applied. */
        private @Nullable Bytes arguments;

        /** Rebuilds the arguments; null if the loader is gone. Until it is applied. */
        private @Nullable Values values;

        private volatile @Nullable Hosted hosted;

        /** Guarded by the lock. */
        private boolean isWithdrawn;

        Asked(int number, UUID id, int operation, boolean mayWait, Bytes arguments, @Nullable Values values) {
            this.number = number;
            this.id = id;
            this.operation = operation;
            this.mayWait = mayWait;
            this.weight = Allowance.weight(mayWait, arguments.remaining());
            this.arguments = arguments;
            this.values = values;
        }

        @Override
        public boolean answer(@Nullable Object value) {
            return add(new Step(this, Action.ANSWER, value));
        }

        @Override
        public void fail(RuntimeException failure) {
            add(new Step(this, Action.FAIL, failure));
        }
    }

    // ---------------------------------------------------------------------------------------------- the driver

    /**
     * Takes a question. For the driver only; does not block.
     *
     * @throws MalformedException if it is none, or one more than the worker may have
     */
    void ask(Bytes question, LoaderTable loaders) {
        int number = question.getInt();
        Values values = loaders.values(question.getInt());
        UUID id = new UUID(question.getLong(), question.getLong());
        int operation = question.getInt();
        boolean mayWait = question.getByte() != 0;
        Asked asked = new Asked(number, id, operation, mayWait, question.copyRest(), values);
        synchronized (lock) {
            if (isClosed) {
                return;
            }
            boolean isTooMuch = mayWait ? later + asked.weight > Allowance.LATER : soon + asked.weight > Allowance.SOON;
            if (isTooMuch || open.putIfAbsent(number, asked) != null) {
                throw new MalformedException(
                        "question " + number + " to what is hosted, while it waits for " + open.size() + " answers");
            }
            count(asked, asked.weight);
            steps.add(new Step(asked, Action.APPLY, null));
            lock.notifyAll();
        }
        if (!isStarted) {
            start();
        }
    }

    private void start() {
        Thread thread = new Thread(null, this::work, worker.name() + "-desk", 0, false);
        thread.setDaemon(true);
        thread.setContextClassLoader(OWN_LOADER);
        isStarted = true;
        thread.start();
        worker.onExit(this::close);
    }

    /** Takes the wish of the worker to wait no longer. For the driver only; does not block. */
    void withdraw(Bytes wish) {
        int number = wish.getInt();
        synchronized (lock) {
            Asked asked = open.get(number);
            if (asked != null && !asked.isWithdrawn && !isClosed) { // else the answer is on its way
                asked.isWithdrawn = true;
                steps.add(new Step(asked, Action.WITHDRAW, null));
                lock.notifyAll();
            }
        }
    }

    // ---------------------------------------------------------------------------------------------- any thread

    private boolean add(Step step) {
        synchronized (lock) {
            if (!isClosed) {
                steps.add(step);
                lock.notifyAll();
            }
            return !isClosed;
        }
    }

    /** The worker has ended: it waits no more, and gets nothing. Does not block. */
    void close() {
        List<Asked> left;
        List<Step> undone;
        synchronized (lock) {
            if (isClosed) {
                return;
            }
            isClosed = true;
            left = new ArrayList<>(open.values());
            undone = new ArrayList<>(steps);
            open.clear();
            steps.clear();
            lock.notifyAll();
        }
        for (Asked asked : left) {
            Hosted hosted = asked.hosted;
            if (hosted != null) {
                hosted.withdraw(asked);
            }
        }
        Collections.reverse(undone); // the last is put back first
        for (Step step : undone) {
            if (step.action == Action.ANSWER) {
                takeBack(step.asked, step.value);
            }
        }
    }

    private boolean isClosed() {
        synchronized (lock) {
            return isClosed;
        }
    }

    private void takeBack(Asked asked, @Nullable Object value) {
        Hosted hosted = asked.hosted;
        if (hosted != null) {
            hosted.takeBack(asked.operation, value);
        }
    }

    /** Guarded by the lock. */
    private void count(Asked asked, int weight) {
        if (asked.mayWait) {
            later += weight;
        } else {
            soon += weight;
        }
    }

    // ---------------------------------------------------------------------------------------------- its thread

    private void work() {
        try {
            for (Step step = next(); step != null; step = next()) {
                perform(step);
            }
        } catch (Throwable e) {
            log.error("What {} asks can be answered no more; it is killed", worker, e);
            worker.kill();
        }
    }

    private @Nullable Step next() {
        synchronized (lock) {
            while (steps.isEmpty() && !isClosed) {
                try {
                    lock.wait();
                } catch (InterruptedException e) {
                    log.debug("Code of the application has left an interrupt behind", e);
                }
            }
            return steps.poll();
        }
    }

    private void perform(Step step) {
        switch (step.action) {
            case APPLY -> apply(step.asked);
            case WITHDRAW -> withdraw(step.asked);
            case ANSWER -> answer(step.asked, step.value);
            case FAIL -> fail(step.asked, (Throwable) step.value);
        }
    }

    private void apply(Asked asked) {
        Object value;
        Hosted hosted;
        try {
            hosted = find(asked);
            value = hosted.apply(asked.operation, readArguments(asked, hosted), asked);
        } catch (Throwable e) { // whatever the application's code throws is for who has asked
            fail(asked, e);
            return;
        } finally {
            Thread.currentThread().setContextClassLoader(OWN_LOADER);
            Thread.interrupted(); // which the application's code may have left behind
            asked.arguments = null;
            asked.values = null;
        }
        if (value != Hosted.LATER) {
            answer(asked, value);
        } else if (isClosed()) {
            hosted.withdraw(asked); // who closed did so too early, perhaps
        }
    }

    private Hosted find(Asked asked) {
        Hosted hosted = Hosts.find(asked.id);
        if (hosted == null) {
            throw new IllegalStateException("it is closed, or the application has not kept a reference to it: whoever"
                    + " passes a shared collection must keep it until the tasks that use it are done");
        }
        asked.hosted = hosted;
        return hosted;
    }

    private static @Nullable Object[] readArguments(Asked asked, Hosted hosted) {
        Bytes bytes = asked.arguments;
        Values values = asked.values;
        if (values == null || bytes == null) {
            throw new TransferException(
                    hosted.contents() + " cannot be rebuilt: the class loader that knows its class is gone", null);
        }
        Thread.currentThread().setContextClassLoader(values.loader());
        @Nullable Object[] arguments = new @Nullable Object[bytes.getCount(1)];
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = values.codec().read(bytes, hosted.contents());
        }
        return arguments;
    }

    private void withdraw(Asked asked) {
        Hosted hosted = asked.hosted;
        if (hosted != null && hosted.withdraw(asked)) {
            begin(asked, Frames.WITHDRAWN);
            send(asked);
        }
    }

    private void answer(Asked asked, @Nullable Object value) {
        boolean isSent = false;
        try {
            writeAnswer(asked, value);
            isSent = send(asked);
        } catch (TransferException e) {
            isSent = true;
            takeBack(asked, value); // before the worker asks again
            fail(asked, e);
        } finally {
            if (!isSent) {
                takeBack(asked, value);
            }
            Thread.interrupted();
        }
    }

    private void writeAnswer(Asked asked, @Nullable Object value) {
        String contents = Objects.requireNonNull(asked.hosted).contents();
        if (value instanceof Hosted.Elements elements) {
            begin(asked, Frames.ANSWERS);
            try {
                answer.putVarInt(elements.values().size());
                for (Object each : elements.values()) {
                    int lengthAt = answer.beginLength();
                    WRITER.write(answer, each, contents);
                    answer.endLength(lengthAt);
                }
            } catch (TooLargeException e) {
                throw Diagnosis.ofWriting(contents, value, e);
            }
        } else {
            begin(asked, Frames.ANSWER);
            WRITER.write(answer, value, contents);
        }
    }

    private void fail(Asked asked, @Nullable Throwable failure) {
        begin(asked, Frames.FAILURE);
        FAILURES.writeIfThereIsRoom(answer, failure == null ? new IllegalStateException() : failure);
        send(asked);
    }

    private void begin(Asked asked, byte verdict) {
        answer.clear();
        answer.putInt(0);
        answer.putInt(asked.number);
        answer.putByte(verdict);
    }

    private boolean send(Asked asked) {
        synchronized (lock) {
            if (open.remove(asked.number, asked)) {
                count(asked, -asked.weight); // before the worker knows, who then may ask again
            }
        }
        return line.test(answer);
    }
}
