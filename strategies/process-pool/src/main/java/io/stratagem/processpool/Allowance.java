package io.stratagem.processpool;

/**
 * How much a worker may ask of what the application hosts before it has answers. The worker keeps to it by itself; one
 * that does not is broken. So what waits in the application is bounded, whatever workers do.
 */
final class Allowance {
    /** Of questions that are answered soon; a thread that has one more waits. */
    static final int SOON = 64;

    /** Of questions that may wait; one more fails. */
    static final int LATER = 1024;

    private static final int BYTES_SOON = 1 << 18;
    private static final int BYTES_LATER = 1 << 16;

    private Allowance() {}

    /** What a question with so many bytes of arguments takes of the allowance. One that is alone may have any size. */
    static int weight(boolean mayWait, int bytes) {
        return mayWait ? Math.min(LATER, 1 + bytes / BYTES_LATER) : Math.min(SOON, 1 + bytes / BYTES_SOON);
    }
}
