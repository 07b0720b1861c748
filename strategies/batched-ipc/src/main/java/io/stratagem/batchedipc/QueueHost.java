package io.stratagem.batchedipc;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The queue behind {@link SharedQueue}s. */
/* Threads here and workers wait in the same lists, in the order in which they came. Between two operations nobody waits
 * for an element while there is one, nor for room while there is some: settle() sees to that.
 *
 * An element that is given to a waiter is his. One whose worker turns out to be gone comes back to the head, also if the
 * queue is full meanwhile: then it has some elements more than its capacity for a while.
 */
final class QueueHost extends Host {
    static final int OFFER = 0;
    static final int POLL = 1;
    static final int PEEK = 2;
    static final int SIZE = 3;
    static final int ROOM = 4;
    static final int CLEAR = 5;

    /** At most so many elements, which are removed. */
    static final int DRAIN = 6;

    /** The first that equals the argument. */
    static final int REMOVE = 7;

    /** The one with that number. */
    static final int REMOVE_NUMBER = 8;

    /** The numbers and all elements, in turn, in a list. */
    static final int COPY = 9;

    /** May be answered later. */
    static final int PUT = 10;

    /** May be answered later. */
    static final int TAKE = 11;

    /** As "element of a SharedQueue cannot be serialised". */
    static final String CONTENTS = "element of a SharedQueue";

    private final int capacity;

    /** Held for a few instructions, never across code of the application's. */
    private final ReentrantLock lock = new ReentrantLock();

    // Guarded by the lock.
    private final ArrayDeque<Numbered> elements = new ArrayDeque<>();
    private final Set<Waiter> takers = new LinkedHashSet<>();
    private final Map<Waiter, Object> putters = new LinkedHashMap<>();
    private long lastNumber;
    private boolean isClosed;

    QueueHost(int capacity) {
        super("SharedQueue");
        this.capacity = capacity;
    }

    @Override
    public String contents() {
        return CONTENTS;
    }

    @Override
    public @Nullable Object apply(int operation, @Nullable Object[] arguments, Waiter waiter) {
        return switch (operation) {
            case OFFER -> {
                Object value = argument(arguments);
                yield locked(() -> offer(value));
            }
            case POLL -> locked(this::poll);
            case PEEK -> locked(() -> value(elements.peekFirst()));
            case SIZE -> locked(elements::size);
            case ROOM ->
                locked(() -> capacity == Integer.MAX_VALUE ? capacity : Math.max(0, capacity - elements.size()));
            case CLEAR -> locked(this::clear);
            case DRAIN -> {
                int most = (Integer) argument(arguments);
                yield new Elements(locked(() -> drain(most)), null);
            }
            case REMOVE -> remove(argument(arguments));
            case REMOVE_NUMBER -> {
                long number = (Long) argument(arguments);
                yield locked(() -> remove(number));
            }
            case COPY -> copy();
            case PUT -> {
                Object value = argument(arguments);
                yield locked(() -> put(value, waiter));
            }
            case TAKE -> locked(() -> take(waiter));
            default -> throw new UnsupportedOperationException("a SharedQueue has no operation " + operation);
        };
    }

    private static Object argument(@Nullable Object[] arguments) {
        return Objects.requireNonNull(arguments[0]);
    }

    private <T extends @Nullable Object> T locked(Supplier<T> step) {
        lock.lock();
        try {
            if (isClosed) {
                throw closed();
            }
            T result = step.get();
            settle();
            return result;
        } finally {
            lock.unlock();
        }
    }

    private void settle() {
        while (true) {
            Numbered head = elements.peekFirst();
            if (head != null && !takers.isEmpty()) {
                if (removeFirst(takers).answer(head.value())) {
                    elements.removeFirst();
                }
            } else if (elements.size() < capacity && !putters.isEmpty()) {
                Map.Entry<Waiter, Object> first = removeFirst(putters.entrySet());
                if (first.getKey().answer(true)) {
                    add(first.getValue());
                }
            } else {
                return;
            }
        }
    }

    private static <T> T removeFirst(Collection<T> all) {
        Iterator<T> iterator = all.iterator();
        T first = iterator.next();
        iterator.remove();
        return first;
    }

    private void add(Object value) {
        elements.addLast(element(value));
    }

    private Numbered element(Object value) {
        return new Numbered(value, ++lastNumber);
    }

    private boolean offer(Object value) {
        boolean hasRoom = elements.size() < capacity;
        if (hasRoom) {
            add(value);
        }
        return hasRoom;
    }

    private Object put(Object value, Waiter waiter) {
        if (offer(value)) {
            return true;
        }
        putters.put(waiter, value);
        return LATER;
    }

    private @Nullable Object poll() {
        return value(elements.pollFirst());
    }

    private Object take(Waiter waiter) {
        Object value = poll();
        if (value == null) {
            takers.add(waiter);
            return LATER;
        }
        return value;
    }

    private List<Object> drain(int most) {
        List<Object> drained = new ArrayList<>();
        while (drained.size() < most && !elements.isEmpty()) {
            drained.add(elements.removeFirst().value());
        }
        return drained;
    }

    private @Nullable Object clear() {
        elements.clear();
        return null;
    }

    private boolean remove(Object wanted) {
        for (Numbered each : locked(() -> List.copyOf(elements))) {
            if (wanted.equals(each.value()) && locked(() -> elements.remove(each))) {
                return true;
            }
        }
        return false;
    }

    private boolean remove(long number) {
        return elements.removeIf(element -> element.number() == number);
    }

    private List<Object> copy() {
        List<Object> all = new ArrayList<>();
        for (Numbered each : locked(() -> List.copyOf(elements))) {
            all.add(each.number());
            all.add(each.value());
        }
        return all;
    }

    /** How many wait now. */
    int waiting() {
        lock.lock();
        try {
            return takers.size() + putters.size();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean withdraw(Waiter waiter) {
        lock.lock();
        try {
            return takers.remove(waiter) || putters.remove(waiter) != null;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void takeBack(int operation, @Nullable Object answer) {
        List<Object> values = new ArrayList<>();
        if ((operation == POLL || operation == TAKE) && answer != null) {
            values.add(answer);
        } else if (operation == DRAIN && answer instanceof Elements drained) {
            values.addAll(drained.values());
        }
        Collections.reverse(values);
        lock.lock();
        try {
            if (!isClosed) {
                values.forEach(value -> elements.addFirst(element(value)));
                settle();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    void close() {
        lock.lock();
        try {
            isClosed = true;
            elements.clear();
            takers.forEach(waiter -> waiter.fail(closed()));
            putters.keySet().forEach(waiter -> waiter.fail(closed()));
            takers.clear();
            putters.clear();
        } finally {
            lock.unlock();
        }
    }
}
