package io.stratagem.eventloop;

import io.netty.util.internal.DefaultPriorityQueue;
import io.netty.util.internal.PriorityQueueNode;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;

/**
 * The timers of one loop: limits that are mostly cancelled, and delays that all come due. The time is the trial's own. It
 * is in the package of the wheel, which is not public.
 *
 * @param <T> what is added
 */
public abstract class Timers<T> implements Trial {
    /** How many limits wait at any time. */
    private static final int PENDING = 100_000;

    private static final long LIMIT_NANOS = 30_000_000_000L;

    /** Between two requests, each of which has a limit. */
    private static final long REQUEST_NANOS = 10_000;

    /** Requests in a turn of the loop. */
    private static final int TURN = 64;

    private static final long LONGEST_DELAY_NANOS = 10_000_000_000L;
    private static final long STEP_NANOS = 1_000_000;

    private final SplittableRandom random = new SplittableRandom(5);
    private final List<T> pending = new ArrayList<>(PENDING);
    private boolean areLimits;
    private int size;
    private long now = System.nanoTime();
    private int fired;

    abstract T add(long deadlineNanos);

    abstract void remove(T timer);

    /** Takes a timer that is due; false if there is none. */
    abstract boolean pollDue(long nowNanos);

    @Override
    public final void prepare(String metric, int newSize) {
        size = newSize;
        areLimits = metric.endsWith("limits");
        begin(now);
        if (areLimits) {
            for (int i = 0; i < PENDING; i++) {
                pending.add(add(now + LIMIT_NANOS));
                now += REQUEST_NANOS;
            }
        }
    }

    /** Makes what holds the timers. */
    abstract void begin(long nowNanos);

    @Override
    public final void pass() {
        fired = 0;
        if (areLimits) {
            replaceLimits();
        } else {
            awaitDelays();
        }
    }

    /** Any of the requests under way ends, and another begins. */
    private void replaceLimits() {
        for (int i = 0; i < size; i++) {
            int ended = random.nextInt(PENDING);
            remove(pending.get(ended));
            pending.set(ended, add(now + LIMIT_NANOS));
            now += REQUEST_NANOS;
            if (i % TURN == 0) {
                pollAllDue();
            }
        }
    }

    private void awaitDelays() {
        for (int i = 0; i < size; i++) {
            var unused = add(now + random.nextLong(LONGEST_DELAY_NANOS));
        }
        for (long end = now + LONGEST_DELAY_NANOS + 2 * STEP_NANOS; now < end; now += STEP_NANOS) {
            pollAllDue();
        }
    }

    private void pollAllDue() {
        while (pollDue(now)) {
            fired++;
        }
    }

    /** No request lasts for 30 seconds: 100,000 are under way, any may end next, and one does every 10 microseconds. */
    @Override
    public final void verify() throws WrongResultException {
        WrongResultException.check("timers that came due", areLimits ? 0 : size, fired);
    }

    @Override
    public final long operations() {
        return size;
    }

    /** Ours. */
    public static final class InWheel extends Timers<TimerWheel.Timer> {
        private TimerWheel wheel;

        @Override
        void begin(long nowNanos) {
            wheel = new TimerWheel(nowNanos);
        }

        @Override
        TimerWheel.Timer add(long deadlineNanos) {
            TimerWheel.Timer timer = new TimerWheel.Timer(null);
            wheel.add(timer, deadlineNanos);
            return timer;
        }

        @Override
        void remove(TimerWheel.Timer timer) {
            wheel.remove(timer);
        }

        @Override
        boolean pollDue(long nowNanos) {
            return wheel.pollDue(nowNanos) != null;
        }
    }

    /** Netty's heap, in which each timer knows its place, so that it can be removed. */
    public static final class InNettyHeap extends Timers<InNettyHeap.Placed> {
        private final DefaultPriorityQueue<Placed> heap =
                new DefaultPriorityQueue<>(Comparator.comparingLong(node -> node.deadlineNanos), PENDING);

        private static final class Placed implements PriorityQueueNode {
            private final long deadlineNanos;
            private int index = INDEX_NOT_IN_QUEUE;

            Placed(long deadlineNanos) {
                this.deadlineNanos = deadlineNanos;
            }

            @Override
            public int priorityQueueIndex(DefaultPriorityQueue<?> queue) {
                return index;
            }

            @Override
            public void priorityQueueIndex(DefaultPriorityQueue<?> queue, int newIndex) {
                index = newIndex;
            }
        }

        @Override
        void begin(long nowNanos) {}

        @Override
        Placed add(long deadlineNanos) {
            Placed node = new Placed(deadlineNanos);
            heap.add(node);
            return node;
        }

        @Override
        void remove(Placed timer) {
            heap.removeTyped(timer);
        }

        @Override
        boolean pollDue(long nowNanos) {
            Placed first = heap.peek();
            if (first == null || first.deadlineNanos > nowNanos) {
                return false;
            }
            heap.poll();
            return true;
        }
    }

    /**
     * The JDK's heap. What is cancelled stays until it comes to the top or there is more of it than of the others, as in
     * asyncio.
     */
    public static final class InPriorityQueue extends Timers<InPriorityQueue.Lazy> {
        private final PriorityQueue<Lazy> heap =
                new PriorityQueue<>(Comparator.comparingLong(node -> node.deadlineNanos));
        private int cancelled;

        private static final class Lazy {
            private final long deadlineNanos;
            private boolean isCancelled;
            private boolean isTaken;

            Lazy(long deadlineNanos) {
                this.deadlineNanos = deadlineNanos;
            }
        }

        @Override
        void begin(long nowNanos) {}

        @Override
        Lazy add(long deadlineNanos) {
            Lazy node = new Lazy(deadlineNanos);
            heap.add(node);
            return node;
        }

        @Override
        void remove(Lazy timer) {
            if (timer.isTaken) {
                return;
            }
            timer.isCancelled = true;
            cancelled++;
            if (cancelled > heap.size() / 2) {
                heap.removeIf(each -> each.isCancelled);
                cancelled = 0;
            }
        }

        @Override
        boolean pollDue(long nowNanos) {
            for (Lazy first = heap.peek(); first != null && first.deadlineNanos <= nowNanos; first = heap.peek()) {
                heap.poll();
                if (!first.isCancelled) {
                    first.isTaken = true;
                    return true;
                }
                cancelled--;
            }
            return false;
        }
    }
}
