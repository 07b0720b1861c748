package io.stratagem;

/** Says when a phase of a measurement is over, without a look at the clock for each tiny task. For one thread. */
final class Pace {
    private static final int MOST_BETWEEN_LOOKS = 16;
    private static final long OFTEN_NANOS = 20_000;

    private final long end;
    private long lastLook = System.nanoTime();
    private int between = 1;
    private int left = 1;

    Pace(long end) {
        this.end = end;
    }

    /** To be asked once for each task. */
    boolean isOver() {
        if (--left > 0) {
            return false;
        }
        long now = System.nanoTime();
        between = now - lastLook < OFTEN_NANOS ? Math.min(MOST_BETWEEN_LOOKS, 2 * between) : 1;
        lastLook = now;
        left = between;
        return now - end >= 0;
    }

    /** When it last looked at the clock. */
    long lastLook() {
        return lastLook;
    }
}
