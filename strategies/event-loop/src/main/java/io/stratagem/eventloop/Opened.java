package io.stratagem.eventloop;

import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/** Something with a channel that a task has opened. Only the loop's thread calls its methods. */
abstract class Opened {
    final LoopTask task;

    /** Links of the task's list. */
    @Nullable
    Opened previous;

    @Nullable
    Opened next;

    boolean isListed;

    Opened(LoopTask task) {
        this.task = task;
    }

    /** The channel is ready for what the key wanted. */
    abstract void ready(SelectionKey key);

    /** The task has its outcome: this has to be closed, and has been taken off the list. */
    abstract void taskEnded(boolean succeeded);

    /** Closes it at once: its loop ends, or its handler failed. */
    abstract void abort(Throwable why);
}
