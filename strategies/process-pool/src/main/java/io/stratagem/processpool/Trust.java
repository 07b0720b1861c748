package io.stratagem.processpool;

/**
 * Whether who submits a task is likely to wait for it at once: if tasks have been submitted and waited for in turn, the
 * next one may be sent by its caller, who then receives its outcome himself. Any thread may use it.
 */
/* Read and written without order: it is a guess, and an update that is lost only makes it a little worse. */
final class Trust {
    private static final int ENOUGH = 4;
    private static final int MOST = 16;

    private int submitted;
    private int awaited;
    private int score;

    void submitted() {
        submitted++;
    }

    /** A caller begins to wait. */
    void awaited() {
        int now = submitted;
        score = now - awaited == 1 ? Math.min(MOST, score + 1) : 0;
        awaited = now;
    }

    /** A caller that was to wait for what it had sent has not come to do so. */
    void disappoint() {
        score = -MOST;
    }

    boolean isJustified() {
        return score >= ENOUGH;
    }
}
