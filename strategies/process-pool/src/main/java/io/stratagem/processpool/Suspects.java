package io.stratagem.processpool;

import io.stratagem.Workload;
import io.stratagem.spi.Batch;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/**
 * Tasks whose workers have died when they had received the task and not begun it: perhaps of what came with it, as one
 * does for whose heap the input, the function or the context is too large. Such a task may go to another worker, but not
 * for ever. Any thread may use it.
 */
/* It is the workload and the input that stay the same when a task is sent again. Few are suspected at a time, and the
 * oldest is forgotten.
 */
final class Suspects {
    private static final int WORKERS = 3;
    private static final int CAPACITY = 16;

    private static final class Suspect {
        private final Workload<?, ?> workload;
        private final @Nullable Object input;
        private int deaths;

        Suspect(Batch batch) {
            this.workload = batch.workload();
            this.input = batch.input(0);
        }

        boolean is(Batch batch) {
            return workload == batch.workload() && input == batch.input(0);
        }
    }

    private final Deque<Suspect> all = new ArrayDeque<>();

    /** Whether there is one, for those who need not wait for the monitor to hear that there is none. */
    private volatile boolean isAny;

    /** A worker has died that had the batch's first task first in line; true if that was one too many. */
    synchronized boolean accuse(Batch batch) {
        Suspect suspect = remove(batch);
        suspect.deaths++;
        boolean isOneTooMany = suspect.deaths >= WORKERS;
        if (!isOneTooMany) {
            all.addLast(suspect);
            if (all.size() > CAPACITY) {
                all.removeFirst();
            }
        }
        isAny = !all.isEmpty();
        return isOneTooMany;
    }

    /** A worker has begun the batch's first task. */
    void acquit(Batch batch) {
        if (isAny) {
            clear(batch);
        }
    }

    private synchronized void clear(Batch batch) {
        all.removeIf(suspect -> suspect.is(batch));
        isAny = !all.isEmpty();
    }

    private Suspect remove(Batch batch) {
        for (Iterator<Suspect> each = all.iterator(); each.hasNext(); ) {
            Suspect suspect = each.next();
            if (suspect.is(batch)) {
                each.remove();
                return suspect;
            }
        }
        return new Suspect(batch);
    }
}
