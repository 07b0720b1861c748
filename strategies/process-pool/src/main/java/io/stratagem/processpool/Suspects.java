package io.stratagem.processpool;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/**
 * Inputs whose workers have died when they had received the task and not begun it: perhaps because of the input, as one
 * does that is larger than the worker's heap. Such a task may go to another worker, but not for ever. Any thread may use it.
 */
/* It is the input that stays the same when a task is sent again. What is small kills nobody, and its object may be that of
 * many tasks. Few are suspected at a time, and the oldest is forgotten.
 */
final class Suspects {
    private static final int WORKERS = 3;
    private static final int CAPACITY = 16;
    private static final int SMALL_BYTES = 4096;

    private static final class Suspect {
        private final Object input;
        private int deaths;

        Suspect(Object input) {
            this.input = input;
        }
    }

    private final Deque<Suspect> all = new ArrayDeque<>();

    /** A worker has died that had this input first in line; true if that was one too many. */
    synchronized boolean accuse(@Nullable Object input) {
        if (input == null || Tag.isSmall(input, SMALL_BYTES)) {
            return false;
        }
        Suspect suspect = remove(input);
        suspect.deaths++;
        if (suspect.deaths >= WORKERS) {
            return true;
        }
        all.addLast(suspect);
        if (all.size() > CAPACITY) {
            all.removeFirst();
        }
        return false;
    }

    private Suspect remove(Object input) {
        for (Iterator<Suspect> each = all.iterator(); each.hasNext(); ) {
            Suspect suspect = each.next();
            if (suspect.input == input) {
                each.remove();
                return suspect;
            }
        }
        return new Suspect(input);
    }
}
