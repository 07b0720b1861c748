package io.stratagem.examples;

import io.stratagem.Result;
import io.stratagem.TaskTimeoutException;
import io.stratagem.WorkerDiedException;

/** What becomes of a picture that is to be scaled. */
enum Fate {
    SCALED,
    /** An exception, as in any JVM. */
    FAILED,
    OUT_OF_MEMORY,
    /** The worker ended in another way: a bug in native code, the kernel's OOM killer. */
    CRASHED,
    TIMED_OUT;

    static Fate of(Result<?> result) {
        if (!(result instanceof Result.Failure<?> failure)) {
            return SCALED;
        }
        if (failure.cause() instanceof WorkerDiedException death) {
            return death.isOutOfMemory() ? OUT_OF_MEMORY : CRASHED;
        }
        return failure.cause() instanceof TaskTimeoutException ? TIMED_OUT : FAILED;
    }

    /** For the summary. */
    String times(long count) {
        return switch (this) {
            case SCALED -> Units.count(count) + " scaled";
            case FAILED -> Units.count(count) + " failed";
            case OUT_OF_MEMORY -> Units.count(count, "worker") + " lost to OutOfMemoryError";
            case CRASHED -> Units.count(count, "worker") + " lost to a crash";
            case TIMED_OUT -> Units.count(count, "worker") + " killed at the timeout";
        };
    }
}
