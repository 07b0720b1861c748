package io.stratagem.batchedipc;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.processpool.spi.Hosted;
import io.stratagem.processpool.spi.Hosts;
import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** In the application itself; {@link SharedCollectionsContract} has the workers. */
@Timeout(Patience.TEST_SECONDS)
final class SharedQueueTest {
    private final SharedQueue<Integer> queue = SharedQueue.create(2);

    static int waitingAt(SharedQueue<?> queue) {
        return ((QueueHost) Objects.requireNonNull(Hosts.find(queue.access.id()))).waiting();
    }

    static void awaitWaiting(SharedQueue<?> queue, int count) {
        Patience.await().alias(count + " wait").until(() -> waitingAt(queue) == count);
    }

    /** A step on a thread of its own, which waits at the queue when this returns. */
    private <T> FutureTask<T> waitingFor(java.util.concurrent.Callable<T> step) {
        int before = waitingAt(queue);
        FutureTask<T> task = new FutureTask<>(step);
        Thread thread = new Thread(task, "waits");
        thread.setDaemon(true);
        thread.start();
        awaitWaiting(queue, before + 1);
        return task;
    }

    @Test
    void operations_areThoseOfABlockingQueue() throws Exception {
        assertThat(queue.offer(1)).isTrue();
        queue.put(2);
        assertThat(queue.offer(3)).isFalse();
        assertThat(queue.offer(3, 1, MILLISECONDS)).isFalse();
        assertThat(queue.offer(3, 0, MILLISECONDS)).isFalse();
        assertThatIllegalStateException().isThrownBy(() -> queue.add(3));
        assertThat(queue.remainingCapacity()).isZero();
        assertThat(queue).containsExactly(1, 2);
        assertThat(queue.contains(2)).isTrue();
        assertThat(queue.peek()).isEqualTo(1);
        assertThat(queue.take()).isEqualTo(1);
        assertThat(queue.remainingCapacity()).isOne();
        assertThat(queue.poll()).isEqualTo(2);
        assertThat(queue.poll()).isNull();
        assertThat(queue.poll(1, MILLISECONDS)).isNull();
        assertThat(queue.poll(0, MILLISECONDS)).isNull();
        assertThat(queue.peek()).isNull();
        queue.add(5);
        assertThat(queue.poll(10, SECONDS)).isEqualTo(5);
        assertThat(waitingAt(queue)).isZero();
        assertThat(SharedQueue.create().remainingCapacity()).isEqualTo(Integer.MAX_VALUE);
        assertThatIllegalArgumentException().isThrownBy(() -> SharedQueue.create(0));
    }

    @Test
    void removing_isThatOfACollection() {
        try (SharedQueue<Integer> many = SharedQueue.create()) {
            for (int i = 0; i < 1000; i++) {
                many.add(i % 500);
            }
            assertThat(many.remove(3)).isTrue();
            assertThat(many.remove(3)).isTrue();
            assertThat(many.remove(3)).isFalse();
            Iterator<Integer> iterator = many.iterator();
            assertThatIllegalStateException().isThrownBy(iterator::remove);
            iterator.next();
            iterator.remove();
            assertThat(many.peek()).isEqualTo(1);
            List<Integer> drained = new ArrayList<>();
            assertThat(many.drainTo(drained, 3)).isEqualTo(3);
            assertThat(drained).containsExactly(1, 2, 4);
            assertThat(many.drainTo(drained)).isEqualTo(994);
            assertThat(drained).hasSize(997);
            assertThat(many).isEmpty();
            many.add(1);
            many.clear();
            assertThat(many).isEmpty();
            assertThatIllegalArgumentException().isThrownBy(() -> many.drainTo(many));
        }
    }

    @Test
    void waiting_isServedInOrder() throws Exception {
        FutureTask<Integer> first = waitingFor(queue::take);
        FutureTask<Integer> second = waitingFor(() -> queue.poll(1000, SECONDS));
        queue.put(1);
        queue.put(2);
        assertThat(Patience.get(first)).isEqualTo(1);
        assertThat(Patience.get(second)).isEqualTo(2);

        queue.put(3);
        queue.put(4);
        FutureTask<Boolean> third = waitingFor(() -> queue.offer(5, 1000, SECONDS));
        FutureTask<Void> fourth = waitingFor(() -> {
            queue.put(6);
            return null;
        });
        assertThat(queue.take()).isEqualTo(3);
        assertThat(Patience.get(third)).isTrue();
        assertThat(queue.remainingCapacity()).isZero();
        List<Integer> drained = new ArrayList<>();
        assertThat(queue.drainTo(drained)).isEqualTo(2);
        Patience.get(fourth);
        assertThat(drained).containsExactly(4, 5);
        assertThat(queue).containsExactly(6);
    }

    @Test
    void clearAndRemove_makeRoomForWhoWaits() throws Exception {
        queue.put(1);
        queue.put(2);
        FutureTask<Boolean> first = waitingFor(() -> queue.offer(3, 1000, SECONDS));
        assertThat(queue.remove(1)).isTrue();
        assertThat(Patience.get(first)).isTrue();
        FutureTask<Boolean> second = waitingFor(() -> queue.offer(4, 1000, SECONDS));
        queue.clear();
        assertThat(Patience.get(second)).isTrue();
        assertThat(queue).containsExactly(4);
    }

    @Test
    void interrupts_endTheWaitAndLoseNothing() throws Exception {
        Thread.currentThread().interrupt();
        assertThatThrownBy(queue::take).isInstanceOf(InterruptedException.class);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> queue.put(1)).isInstanceOf(InterruptedException.class);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> queue.poll(0, SECONDS)).isInstanceOf(InterruptedException.class);
        assertThat(queue).isEmpty();

        int rounds = 2000;
        Queue<Integer> taken = new ConcurrentLinkedQueue<>();
        AtomicBoolean isOver = new AtomicBoolean();
        Thread taker = new Thread(() -> {
            while (!isOver.get() || !queue.isEmpty()) {
                try {
                    taken.add(queue.take());
                } catch (InterruptedException e) {
                    // goes on
                }
            }
        });
        taker.start();
        for (int i = 0; i < rounds; i++) {
            queue.put(i);
            taker.interrupt();
        }
        isOver.set(true);
        while (taker.isAlive()) {
            taker.interrupt();
            taker.join(1);
        }
        assertThat(taken).hasSize(rounds).doesNotHaveDuplicates();
    }

    @Test
    @SuppressWarnings("NullAway")
    void nulls_areRefused() {
        assertThatNullPointerException().isThrownBy(() -> queue.offer(null));
        assertThatNullPointerException().isThrownBy(() -> queue.put(null));
        assertThatNullPointerException().isThrownBy(() -> queue.offer(null, 1, SECONDS));
        assertThat(queue.contains(null)).isFalse();
        assertThat(queue.remove(null)).isFalse();
        assertThat(queue).isEmpty();
    }

    @Test
    void close_failsWhoWaitsAndWhoComes() throws Exception {
        FutureTask<Integer> taking = waitingFor(queue::take);
        queue.close();
        assertThatThrownBy(() -> Patience.get(taking))
                .hasRootCauseInstanceOf(IllegalStateException.class)
                .hasStackTraceContaining("closed");
        assertThatIllegalStateException().isThrownBy(queue::size).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(queue::take);
        assertThatIllegalStateException().isThrownBy(() -> queue.offer(1));
        assertThat(queue).hasToString("SharedQueue[closed]");
    }

    @Test
    void producersAndConsumers_passEachElementOnce() {
        int each = 20_000;
        Queue<Integer> taken = new ConcurrentLinkedQueue<>();
        RacingThreads.run(4, number -> {
            for (int i = 0; i < each; i++) {
                if (number < 2) {
                    queue.put(number * each + i);
                } else {
                    taken.add(queue.take());
                }
            }
        });
        assertThat(taken).hasSize(2 * each).doesNotHaveDuplicates();
        assertThat(queue).isEmpty();
    }

    /** A worker that dies as soon as it waits, or before it has got what it was given. */
    private static final class Gone implements Hosted.Waiter {
        private final boolean accepts;

        Gone(boolean accepts) {
            this.accepts = accepts;
        }

        @Override
        public boolean answer(@Nullable Object value) {
            return accepts;
        }

        @Override
        public void fail(RuntimeException failure) {}
    }

    @Test
    void waiterThatIsGone_losesNothing() throws Exception {
        QueueHost host = new QueueHost(1);
        assertThat(host.apply(QueueHost.TAKE, new Object[0], new Gone(false))).isSameAs(Hosted.LATER);
        assertThat(host.apply(QueueHost.TAKE, new Object[0], new Gone(true))).isSameAs(Hosted.LATER);
        host.apply(QueueHost.OFFER, new Object[] {1}, new Gone(true));
        assertThat(host.apply(QueueHost.SIZE, new Object[0], new Gone(true))).isEqualTo(0);

        host.apply(QueueHost.OFFER, new Object[] {2}, new Gone(true));
        assertThat(host.apply(QueueHost.PUT, new Object[] {9}, new Gone(false))).isSameAs(Hosted.LATER);
        host.takeBack(QueueHost.TAKE, 1);

        assertThat(host.apply(QueueHost.ROOM, new Object[0], new Gone(true))).isEqualTo(0);
        assertThat(host.apply(QueueHost.DRAIN, new Object[] {5}, new Gone(true)))
                .isEqualTo(new Hosted.Elements(List.of(1, 2), null));
        host.takeBack(QueueHost.DRAIN, new Hosted.Elements(List.of(1, 2), null));
        assertThat(host.apply(QueueHost.POLL, new Object[0], new Gone(true))).isEqualTo(1);
        assertThat(host.apply(QueueHost.POLL, new Object[0], new Gone(true))).isEqualTo(2);
        assertThat(host.apply(QueueHost.POLL, new Object[0], new Gone(true))).isNull();
    }
}
