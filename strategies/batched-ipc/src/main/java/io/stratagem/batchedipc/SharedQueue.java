package io.stratagem.batchedipc;

import static com.google.common.base.Preconditions.checkArgument;

import io.stratagem.TransferException;
import io.stratagem.processpool.ProcessPoolBuilder;
import io.stratagem.processpool.spi.HostLine;
import io.stratagem.processpool.spi.Hosted;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.lang.ref.Reference;
import java.util.AbstractQueue;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A queue that the application has and its workers use, too: passed to a task, as its input, within that, or captured by
 * its function, it is the same queue in the worker process. First in, first out, for any number of producers and
 * consumers everywhere; those who wait are served in the order in which they came.
 *
 * <pre>{@code
 * try (SharedQueue<String> found = SharedQueue.create(1000)) {
 *     Workload<Path, Void> search = Workload.named("search").isolated().blockingAction(file -> search(file, found));
 *     CompletableFuture<Result<Void>> searching = strategy.submit(search, file);
 *     for (String line = found.poll(1, SECONDS); line != null; line = found.poll(1, SECONDS)) { show(line); }
 * }
 * }</pre>
 *
 * <p><b>Threads.</b> Any thread of the application and of its workers may use it. The elements live in the application; what
 * a worker does asks the application, and is done there once, which takes some 20 µs. {@link #put put}, {@link #take take},
 * {@link #offer(Object, long, TimeUnit) offer} and {@link #poll(long, TimeUnit) poll} with a limit wait, and end with
 * {@link InterruptedException}; an interrupt that comes when an element is already on its way is kept, and the element
 * returned. The others in a worker wait for the answer only, and keep an interrupt. A waiting worker holds no thread of the
 * application. Up to 1,024 operations of one worker may wait at once, or fewer whose elements have 64 MiB together; one
 * more throws {@link IllegalStateException}.
 *
 * <p><b>Each element</b> is received once. If a worker dies while it waits, others get what comes; what has been sent to it
 * is lost with it, at most one element, or one {@link #drainTo drainTo}, for each of its threads. Elements are not null.
 * What a worker gets is a copy; what it gives must be of a class that results may have (see
 * {@link ProcessPoolBuilder#allowPackage}), else it gets a {@link TransferException}, and the queue is as before. An
 * element that cannot be serialised stays, and each worker that would have it gets a {@code TransferException}; one that
 * a worker cannot rebuild is lost with that exception, which {@code drainTo} throws once it has added those that came with
 * it. A message has the limit {@code maxMessageBytes}.
 *
 * <p>The iterator goes over a copy, which must fit in one message; so do {@link #contains} and {@link #toString}.
 *
 * <p><b>Life.</b> The queue lives as long as the application keeps a reference to it and has not closed it; what a worker
 * has is no such reference. After that all operations, those that wait and also in workers, throw
 * {@link IllegalStateException}. It can be passed as a {@link SharedMap} can.
 *
 * @param <E> of elements; serialisable, for workers
 */
public final class SharedQueue<E> extends AbstractQueue<E> implements BlockingQueue<E>, AutoCloseable, Serializable {
    private static final long serialVersionUID = 1;

    /** So many elements a worker is sent at once. */
    private static final int DRAINED_AT_ONCE = 256;

    final transient Access access;

    private SharedQueue(int capacity) {
        access = Access.here(new QueueHost(capacity), this);
    }

    /** In a worker. */
    SharedQueue(Access access) {
        this.access = access;
    }

    /**
     * Makes an empty queue without a limit.
     *
     * @param <E> of elements
     * @return the queue; the caller closes it
     */
    public static <E> SharedQueue<E> create() {
        return new SharedQueue<>(Integer.MAX_VALUE);
    }

    /**
     * Makes an empty queue.
     *
     * @param <E> of elements
     * @param capacity how many elements it takes, from 1. It may have some more for a while, when workers die to which
     *     they were to be sent
     * @return the queue; the caller closes it
     * @throws IllegalArgumentException if the capacity is not positive
     */
    public static <E> SharedQueue<E> create(int capacity) {
        checkArgument(capacity > 0, "capacity must be positive: %s", capacity);
        return new SharedQueue<>(capacity);
    }

    private @Nullable Object ask(int operation, @Nullable Object... arguments) {
        try {
            return access.ask(operation, arguments);
        } finally {
            Reference.reachabilityFence(this); // else it may be closed meanwhile
        }
    }

    private @Nullable Object await(int operation, long limitNanos, @Nullable Object... arguments)
            throws InterruptedException {
        try {
            return access.await(operation, limitNanos, arguments);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    @SuppressWarnings("unchecked") // only such have been put, or somebody has cheated the compiler before
    private @Nullable E element(@Nullable Object answer) {
        return (E) answer;
    }

    private static boolean isTrue(@Nullable Object answer) {
        return Boolean.TRUE.equals(answer);
    }

    private static <T> T present(@Nullable T value) {
        return Objects.requireNonNull(value);
    }

    private static void checkInterrupt() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    // ---------------------------------------------------------------------------------------------- putting

    @Override
    public boolean offer(E element) {
        return isTrue(ask(QueueHost.OFFER, present(element)));
    }

    @Override
    public void put(E element) throws InterruptedException {
        put(element, HostLine.FOR_EVER);
    }

    @Override
    public boolean offer(E element, long timeout, TimeUnit unit) throws InterruptedException {
        return put(element, unit.toNanos(timeout));
    }

    /* What need not wait does not count as waiting, of which a worker may do only so much. Nobody is overtaken by that:
     * there is neither an element nor room while somebody waits for it.
     */

    private boolean put(E element, long limitNanos) throws InterruptedException {
        present(element);
        checkInterrupt();
        return offer(element) || (limitNanos > 0 && isTrue(await(QueueHost.PUT, limitNanos, element)));
    }

    // ---------------------------------------------------------------------------------------------- taking

    @Override
    public @Nullable E poll() {
        return element(ask(QueueHost.POLL));
    }

    @Override
    public E take() throws InterruptedException {
        return present(take(HostLine.FOR_EVER));
    }

    @Override
    public @Nullable E poll(long timeout, TimeUnit unit) throws InterruptedException {
        return take(unit.toNanos(timeout));
    }

    private @Nullable E take(long limitNanos) throws InterruptedException {
        checkInterrupt();
        E element = poll();
        return element != null || limitNanos <= 0 ? element : element(await(QueueHost.TAKE, limitNanos));
    }

    @Override
    public int drainTo(Collection<? super E> target) {
        return drainTo(target, Integer.MAX_VALUE);
    }

    /** {@inheritDoc} A worker takes some hundred elements in one step. */
    @Override
    public int drainTo(Collection<? super E> target, int maxElements) {
        Objects.requireNonNull(target);
        checkArgument(target != this, "a queue cannot be drained to itself");
        int most = DRAINED_AT_ONCE;
        int count = 0;
        while (count < maxElements) {
            int wanted = Math.min(most, maxElements - count);
            Hosted.Elements drained;
            try {
                drained = (Hosted.Elements) present(ask(QueueHost.DRAIN, wanted));
            } catch (TransferException e) {
                if (wanted == 1) {
                    throw e;
                }
                most = 1; // together they may be too large for a message
                continue;
            }
            for (Object each : drained.values()) {
                target.add(present(element(each)));
            }
            if (drained.failure() != null) {
                throw drained.failure();
            }
            count += drained.values().size();
            if (drained.values().size() < wanted) {
                break;
            }
        }
        return count;
    }

    // ---------------------------------------------------------------------------------------------- looking

    @Override
    public @Nullable E peek() {
        return element(ask(QueueHost.PEEK));
    }

    @Override
    public int size() {
        return (Integer) present(ask(QueueHost.SIZE));
    }

    @Override
    public int remainingCapacity() {
        return (Integer) present(ask(QueueHost.ROOM));
    }

    @Override
    public boolean remove(@Nullable Object element) {
        return element != null && isTrue(ask(QueueHost.REMOVE, element));
    }

    @Override
    public void clear() {
        ask(QueueHost.CLEAR);
    }

    /**
     * Goes over a copy of the queue as it was at one time.
     *
     * @return the iterator; what it removes is removed from the queue, if it is still there
     */
    @Override
    public Iterator<E> iterator() {
        return new CopyIterator((List<?>) present(ask(QueueHost.COPY)));
    }

    private final class CopyIterator implements Iterator<E> {
        private final List<?> copy;
        private int next;
        private boolean mayRemove;

        CopyIterator(List<?> copy) {
            this.copy = copy;
        }

        @Override
        public boolean hasNext() {
            return next < copy.size();
        }

        @Override
        public E next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            next += 2;
            mayRemove = true;
            return present(element(copy.get(next - 1)));
        }

        @Override
        public void remove() {
            if (!mayRemove) {
                throw new IllegalStateException("there is nothing to remove");
            }
            mayRemove = false;
            ask(QueueHost.REMOVE_NUMBER, copy.get(next - 2));
        }
    }

    // ---------------------------------------------------------------------------------------------- life

    /**
     * Closes the queue in the application, with all that is in it; who waits gets an {@link IllegalStateException}. In a
     * worker only the way there: other tasks go on using theirs, and who waits goes on waiting. May be called again.
     */
    @Override
    public void close() {
        access.close();
    }

    @Override
    public String toString() {
        return access.isClosed() ? "SharedQueue[closed]" : super.toString();
    }

    /**
     * What travels is a handle.
     *
     * @return the handle
     */
    private Object writeReplace() {
        return CollectionHandle.ofQueue(access.id());
    }

    /**
     * Refuses a stream in which there is no handle.
     *
     * @param in the stream
     * @throws InvalidObjectException always
     */
    private void readObject(ObjectInputStream in) throws InvalidObjectException {
        throw new InvalidObjectException("only the handle of a shared queue can be read");
    }
}
