package io.stratagem.processpool;

/**
 * The thread of a worker that runs the tasks. They are the user's, and so is whoever interrupts it: while it uses the
 * connection, which an interrupt would close, that waits.
 */
final class TaskThread extends Thread {
    private final Object lock = new Object();

    // Guarded by the lock.
    private boolean isExchanging;
    private boolean isInterruptDue;

    TaskThread(Runnable tasks) {
        super(tasks, "stratagem-tasks");
    }

    @Override
    public void interrupt() {
        synchronized (lock) {
            if (isExchanging) {
                isInterruptDue = true;
            } else {
                super.interrupt();
            }
        }
    }

    /** From now on the present thread uses the connection. */
    static void beginExchange() {
        if (Thread.currentThread() instanceof TaskThread present) {
            synchronized (present.lock) {
                present.isExchanging = true;
                present.isInterruptDue = Thread.interrupted();
            }
        }
    }

    /** The present thread no longer uses the connection. If it was interrupted before or meanwhile, it is now. */
    static void endExchange() {
        if (Thread.currentThread() instanceof TaskThread present) {
            synchronized (present.lock) {
                present.isExchanging = false;
                if (present.isInterruptDue) {
                    present.interrupt();
                }
            }
        }
    }
}
