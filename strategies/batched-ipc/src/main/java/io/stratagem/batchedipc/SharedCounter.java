package io.stratagem.batchedipc;

import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;

/**
 * A number that processes share: what is added to it anywhere is added once, and seen everywhere. It is passed to tasks as a
 * {@link SharedArray} is, and returned by them, with the same rules: keep it open until the tasks that use it are done, and
 * close it in each of them, but not what a task returns. Any thread of any process may use it; each method is one step that is ordered with all others, and does not block.
 * A process that is killed has made a step or has not; the counter stays usable.
 *
 * <p>A step costs some nanoseconds, and some hundred while other cores make steps, too. In a tight loop, count in a local
 * variable and add that now and then.
 *
 * <p>All methods but {@link #close} throw {@link IllegalStateException} once it is closed.
 */
public final class SharedCounter implements AutoCloseable, Serializable {
    private static final long serialVersionUID = 1;

    private final transient SharedArray cell;

    /**
     * Makes a counter.
     *
     * @param initial its value
     * @throws UncheckedIOException if there is no room in memory and on disk
     */
    public SharedCounter(long initial) {
        this(SharedArray.copyOf(new long[] {initial}));
    }

    /** Makes a counter that is 0. */
    public SharedCounter() {
        this(0);
    }

    private SharedCounter(SharedArray cell) {
        this.cell = cell;
    }

    /**
     * Its value now.
     *
     * @return the value
     */
    public long get() {
        return cell.getVolatileLong(0);
    }

    /**
     * Gives it a value, whatever it was.
     *
     * @param value the new one
     */
    public void set(long value) {
        cell.setVolatileLong(0, value);
    }

    /**
     * Adds.
     *
     * @param delta to be added; may be negative
     * @return the value after
     */
    public long addAndGet(long delta) {
        return cell.getAndAddLong(0, delta) + delta;
    }

    /**
     * Adds.
     *
     * @param delta to be added; may be negative
     * @return the value before
     */
    public long getAndAdd(long delta) {
        return cell.getAndAddLong(0, delta);
    }

    /**
     * Adds 1.
     *
     * @return the value after
     */
    public long incrementAndGet() {
        return addAndGet(1);
    }

    /**
     * Subtracts 1.
     *
     * @return the value after
     */
    public long decrementAndGet() {
        return addAndGet(-1);
    }

    /**
     * Gives it a value if it has a certain one.
     *
     * @param expected the value it must have
     * @param value the new one
     * @return whether it was given
     */
    public boolean compareAndSet(long expected, long value) {
        return cell.compareAndSetLong(0, expected, value);
    }

    /** Closes it in this process; others that have it keep it. May be called again. */
    @Override
    public void close() {
        cell.close();
    }

    @Override
    public String toString() {
        return cell.isClosed() ? "SharedCounter[closed]" : "SharedCounter[" + get() + "]";
    }

    /**
     * What travels is a handle.
     *
     * @return the handle
     */
    private Object writeReplace() {
        return new Handle(cell);
    }

    /**
     * Refuses a stream in which there is no handle.
     *
     * @param in the stream
     * @throws InvalidObjectException always
     */
    private void readObject(ObjectInputStream in) throws InvalidObjectException {
        throw new InvalidObjectException("only the handle of a shared counter can be read");
    }

    /**
     * What travels in its place.
     *
     * @param cell travels as a handle of its own
     */
    private record Handle(SharedArray cell) implements Serializable {
        private static final long serialVersionUID = 1;

        private Object readResolve() throws InvalidObjectException {
            if (cell == null || cell.type() != SharedArray.Type.LONG || cell.length() != 1 || cell.isReadOnly()) {
                if (cell != null) {
                    cell.close();
                }
                throw new InvalidObjectException("not the handle of a shared counter: " + cell);
            }
            return new SharedCounter(cell);
        }
    }
}
