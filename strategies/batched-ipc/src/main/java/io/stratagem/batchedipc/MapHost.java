package io.stratagem.batchedipc;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The map behind {@link SharedMap}s. */
/* A value stands in a cell that is never changed, with a number that no other has: so a step from one value to another
 * can be told from elsewhere, where the value is another object, and also where values have no equals of their own.
 */
final class MapHost extends Host {
    static final int GET = 0;
    static final int PUT = 1;
    static final int PUT_IF_ABSENT = 2;
    static final int REMOVE = 3;
    static final int REMOVE_IF = 4;
    static final int REPLACE = 5;
    static final int REPLACE_IF = 6;
    static final int CONTAINS = 7;
    static final int SIZE = 8;
    static final int CLEAR = 9;

    /** All keys, numbers of the cells and values, in turn, in a list. */
    static final int COPY = 10;

    /** The number of the cell, and the value, in a list; or null. */
    static final int READ = 11;

    /** If the key has the cell with that number, or none if that is ABSENT, gives it a value, or removes it if that is null. */
    static final int SET_IF = 12;

    /** Gives a key a value; answers with the number of its cell. */
    static final int SET = 13;

    static final long ABSENT = 0;

    /** As "key or value of a SharedMap cannot be serialised". */
    static final String CONTENTS = "key or value of a SharedMap";

    private final ConcurrentHashMap<Object, Numbered> cells = new ConcurrentHashMap<>();
    private final AtomicLong lastNumber = new AtomicLong(ABSENT);
    private volatile boolean isClosed;

    MapHost() {
        super("SharedMap");
    }

    @Override
    public String contents() {
        return CONTENTS;
    }

    @Override
    public @Nullable Object apply(int operation, @Nullable Object[] arguments, Waiter waiter) {
        if (isClosed) {
            throw closed();
        }
        return switch (operation) {
            case GET -> value(cells.get(argument(arguments, 0)));
            case PUT -> value(cells.put(argument(arguments, 0), cell(argument(arguments, 1))));
            case PUT_IF_ABSENT -> value(cells.putIfAbsent(argument(arguments, 0), cell(argument(arguments, 1))));
            case REMOVE -> value(cells.remove(argument(arguments, 0)));
            case REMOVE_IF -> changeIf(argument(arguments, 0), argument(arguments, 1), null);
            case REPLACE -> value(cells.replace(argument(arguments, 0), cell(argument(arguments, 1))));
            case REPLACE_IF -> changeIf(argument(arguments, 0), argument(arguments, 1), cell(argument(arguments, 2)));
            case CONTAINS -> cells.containsKey(argument(arguments, 0));
            case SIZE -> cells.size();
            case CLEAR -> clear();
            case COPY -> copy();
            case READ -> read(argument(arguments, 0));
            case SET -> set(argument(arguments, 0), argument(arguments, 1));
            case SET_IF -> setIf(argument(arguments, 0), (Long) argument(arguments, 1), arguments[2]);
            default -> throw new UnsupportedOperationException("a SharedMap has no operation " + operation);
        };
    }

    private static Object argument(@Nullable Object[] arguments, int index) {
        return Objects.requireNonNull(arguments[index]);
    }

    private Numbered cell(Object value) {
        return new Numbered(value, lastNumber.incrementAndGet());
    }

    /** To another cell, or to none, from one with an equal value. */
    private boolean changeIf(Object key, Object expected, @Nullable Numbered next) {
        Numbered present = cells.get(key);
        while (present != null && expected.equals(present.value())) {
            if (change(key, present, next)) {
                return true;
            }
            present = cells.get(key);
        }
        return false;
    }

    private boolean change(Object key, Numbered present, @Nullable Numbered next) {
        return next == null ? cells.remove(key, present) : cells.replace(key, present, next);
    }

    private @Nullable Object clear() {
        cells.clear();
        return null;
    }

    private List<Object> copy() {
        List<Object> all = new ArrayList<>();
        cells.forEach((key, cell) -> {
            all.add(key);
            all.add(cell.number());
            all.add(cell.value());
        });
        return all;
    }

    private @Nullable Object read(Object key) {
        Numbered present = cells.get(key);
        return present == null ? null : new ArrayList<>(List.of(present.number(), present.value()));
    }

    private long set(Object key, Object value) {
        Numbered next = cell(value);
        cells.put(key, next);
        return next.number();
    }

    private boolean setIf(Object key, long number, @Nullable Object value) {
        if (number == ABSENT) {
            return value != null && cells.putIfAbsent(key, cell(value)) == null;
        }
        Numbered present = cells.get(key);
        return present != null
                && present.number() == number
                && change(key, present, value == null ? null : cell(value));
    }

    @Override
    public boolean withdraw(Waiter waiter) {
        return false;
    }

    @Override
    public void takeBack(int operation, @Nullable Object answer) {
        // It has been read, and is here all the same.
    }

    @Override
    void close() {
        isClosed = true;
        cells.clear();
    }
}
