package io.stratagem.eventloop;

import java.io.IOException;
import java.nio.channels.Channel;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Something with a channel that a task has opened. Only the loop's thread calls its methods. */
abstract class Opened {
    private static final Logger log = LoggerFactory.getLogger(EventLoopStrategy.class);

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

    static void closeQuietly(Channel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            log.debug("A channel could not be closed: {}", channel, e);
        }
    }
}
