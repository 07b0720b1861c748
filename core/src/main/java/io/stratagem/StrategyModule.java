package io.stratagem;

/** The strategies that this project publishes, and what to add to an application's dependencies to have them. */
enum StrategyModule {
    THREAD_POOL(Stratagem.THREAD_POOL, "io.stratagem:stratagem-thread-pool"),
    EVENT_LOOP(Stratagem.EVENT_LOOP, "io.stratagem:stratagem-event-loop"),
    PROCESS_POOL(Stratagem.PROCESS_POOL, "io.stratagem:stratagem-process-pool"),
    BATCHED_IPC(Stratagem.BATCHED_IPC, "io.stratagem:stratagem-batched-ipc");

    private final String strategy;
    private final String coordinates;

    StrategyModule(String strategy, String coordinates) {
        this.strategy = strategy;
        this.coordinates = coordinates;
    }

    /** The one that suits a workload best, if all of them were there. */
    static StrategyModule bestFor(Workload<?, ?> workload) {
        if (workload.isolated()) {
            return workload.fineGrained() ? BATCHED_IPC : PROCESS_POOL;
        }
        return workload.kind() == Kind.ASYNC ? EVENT_LOOP : THREAD_POOL;
    }

    String strategy() {
        return strategy;
    }

    /** Says what to do when it is not there. */
    String remedy() {
        return "add " + coordinates + " to the dependencies";
    }
}
