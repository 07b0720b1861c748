package io.stratagem.spi;

import io.stratagem.Kind;
import io.stratagem.Workload;
import java.util.concurrent.Callable;

/**
 * What runs the commands of an {@link ExecutorServiceView} in a worker elsewhere: the command is the input. One workload
 * of a kind for all views, so that a worker gets to know it once.
 */
/* A class of its own, since the worker loads the class that its function is made in. */
final class Commands {
    private static final Commands BLOCKING = new Commands(
            isolated().blocking((Callable<?> callable) -> callable.call()),
            isolated().blockingAction(Runnable::run));

    private static final Commands COMPUTE = new Commands(
            isolated().compute((Callable<?> callable) -> callable.call()),
            isolated().computeAction(Runnable::run));

    private final Workload<Callable<?>, ?> calls;
    private final Workload<Runnable, Void> actions;

    private Commands(Workload<Callable<?>, ?> calls, Workload<Runnable, Void> actions) {
        this.calls = calls;
        this.actions = actions;
    }

    static Workload<Callable<?>, ?> calls(Kind kind) {
        return of(kind).calls;
    }

    static Workload<Runnable, Void> actions(Kind kind) {
        return of(kind).actions;
    }

    private static Commands of(Kind kind) {
        return kind == Kind.COMPUTE ? COMPUTE : BLOCKING;
    }

    private static Workload.Builder<Object> isolated() {
        return Workload.named("executor-service").isolated();
    }
}
