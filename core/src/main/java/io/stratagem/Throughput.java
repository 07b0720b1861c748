package io.stratagem;

/**
 * How many tasks end in a second, while new ones are handed in for a while and those under way then end. For one thread.
 */
/* Those that end after the last was handed in do not count, for fewer and fewer run at once. But where a task takes longer
 * than that, all that began together end about when the first one does: so what ends little after that counts, too.
 */
final class Throughput {
    private static final int SPREAD = 4;

    private final long begin;
    private final long lastInput;
    private long first;
    private long last;
    private long ended;
    private long endedInTime;

    /**
     * Begins.
     *
     * @param begin when the first task is handed in
     * @param lastInput when the last one is
     */
    Throughput(long begin, long lastInput) {
        this.begin = begin;
        this.lastInput = lastInput;
        this.last = begin;
    }

    /** Takes in that another task has ended. */
    void ended(long now) {
        ended++;
        if (ended == 1) {
            first = now;
        }
        if (now - lastInput < 0 || now - first <= (first - begin) / SPREAD) {
            endedInTime = ended;
            last = now;
        }
    }

    /** How many have ended. */
    long tasks() {
        return ended;
    }

    /** Whether none had ended when the last one was handed in. */
    boolean isOneRound() {
        return ended == 0 || first - lastInput >= 0;
    }

    double perSecond() {
        // What is cut off in the middle of tasks has done something since the last one ended.
        long took = last - begin;
        long given = lastInput - begin;
        return endedInTime * 1e9 / Math.max(1, took > given / 2 ? took : given);
    }
}
