package io.stratagem;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/** What work shows itself to be, when it runs alone, next to what it was declared to be. */
final class WorkCharacter {
    /** From here on work that was declared to compute is told that it waits. */
    private static final double WAITS = 0.5;

    /** Below this, work that was declared to wait is told that it computes. */
    private static final double COMPUTES = 0.2;

    /**
     * Where a thread is kept from the CPUs, so are those of the JVM that it waits for now and then, as for a collection of
     * garbage: as much of the time that it was kept from them may be waiting that is not the work's.
     */
    private static final double CROWDING = 0.25;

    /** Work in another process that takes less is hidden by what surrounds it. */
    static final double SEEN_FROM_OUTSIDE_NANOS = 1e6;

    private static final double HOLDS_NANOS = 10e6;
    private static final double TINY_NANOS = 100e3;
    private static final double LARGE_NANOS = 10e6;

    /** From here on the way of arrays through shared memory pays, whatever else a task does. */
    private static final double LARGE_BYTES = 1 << 20;

    private final Workload<?, ?> workload;
    private final List<String> findings = new ArrayList<>();
    private OptionalDouble waiting = OptionalDouble.empty();
    private Optional<Kind> better = Optional.empty();
    private boolean isHopeless;

    WorkCharacter(Workload<?, ?> workload) {
        this.workload = workload;
    }

    /** Which part of its time it waited, of what it was not kept from a CPU. */
    OptionalDouble waiting() {
        return waiting;
    }

    /** What it should have been declared to be, if that is something else. */
    Optional<Kind> better() {
        return better;
    }

    List<String> findings() {
        return findings;
    }

    /** Why no task succeeded when they ran alone; empty if one did, or if none could be run. */
    Optional<String> obstacle() {
        return isHopeless ? Optional.of(findings.get(0)) : Optional.empty();
    }

    /**
     * Takes in what a thread, or a worker, was seen to do while it had nothing else to do than this work.
     *
     * @param wallNanos for how long
     * @param cpuNanos how long it computed
     * @param queuedNanos how long it would have, if it had had a CPU
     */
    void alone(long wallNanos, long cpuNanos, long queuedNanos) {
        long idle = wallNanos - cpuNanos - queuedNanos;
        if (cpuNanos < 0 || wallNanos <= 0) {
            return;
        }
        double most = part(idle, cpuNanos);
        double least = part(idle - (long) (CROWDING * queuedNanos), cpuNanos);
        if (most - least > WAITS) {
            return; // the machine is too crowded to tell
        }
        waiting = OptionalDouble.of(most);
        if (workload.kind() == Kind.COMPUTE && least >= WAITS) {
            better = Optional.of(Kind.BLOCKING);
            findings.add("declared compute, waits " + Quantity.percent(most)
                    + " of the time: make it Workload.blocking, then many tasks wait at once");
        } else if (workload.kind() == Kind.BLOCKING && most <= COMPUTES) {
            better = Optional.of(Kind.COMPUTE);
            findings.add("declared blocking, computes " + Quantity.percent(1 - most)
                    + " of the time: make it Workload.compute, then no more tasks run at once than there are CPUs");
        }
    }

    private static double part(long waitedNanos, long computedNanos) {
        long waited = Math.max(0, waitedNanos);
        return waited + computedNanos == 0 ? 0 : (double) waited / (waited + computedNanos);
    }

    /** Takes in how long an asynchronous function held its caller. */
    void held(Holds holds) {
        double nanos = holds.medianNanos();
        if (nanos < HOLDS_NANOS) {
            return;
        }
        if (holds.computing().isEmpty()) {
            findings.add("declared async, but its function had not returned its stage after " + Quantity.nanos(nanos)
                    + ", and holds the loop meanwhile: loop.offload(…) what it does, or make it Workload.blocking if it "
                    + "waits, Workload.compute if it computes");
        } else {
            boolean isComputing = holds.computing().getAsDouble() >= 1 - WAITS;
            findings.add("declared async, but its function " + (isComputing ? "computes" : "blocks") + " for "
                    + Quantity.nanos(nanos) + " before it returns its stage, and holds the loop meanwhile: "
                    + "loop.offload(…) " + (isComputing ? "that" : "the blocking call") + ", or make it Workload."
                    + (isComputing ? "compute" : "blocking"));
        }
    }

    /**
     * Takes in what a task costs in its worker.
     *
     * @param meanNanos how long it takes there
     * @param bytes what is sent for it, both ways together
     */
    void took(double meanNanos, double bytes) {
        if (!workload.isolated() || workload.kind() != Kind.COMPUTE || meanNanos <= 0) {
            return;
        }
        boolean isTiny = meanNanos < TINY_NANOS;
        boolean isLarge = bytes >= LARGE_BYTES;
        if (!workload.fineGrained() && isLarge) {
            findings.add("it sends " + Quantity.bytes(bytes)
                    + " for each task: declare it fineGrained, then large arrays go through shared memory");
        } else if (!workload.fineGrained() && isTiny) {
            findings.add("its tasks are tiny, " + Quantity.nanos(meanNanos)
                    + " each: declare it fineGrained, if there are many of them");
        } else if (workload.fineGrained() && meanNanos > LARGE_NANOS && !isLarge) {
            findings.add("declared fine-grained, but a task takes " + Quantity.nanos(meanNanos)
                    + ": it gains nothing by that");
        }
    }

    /** Takes in how tasks failed when they ran alone, of how many that ended. */
    void failed(Failures failures, long tasks) {
        if (failures.count() == 0) {
            return;
        }
        isHopeless |= failures.count() >= tasks;
        String how = failures.count() >= tasks
                ? "every task failed, the first one with "
                : Quantity.percent((double) failures.count() / tasks) + " of the tasks failed, the first one with ";
        findings.add(0, how + failures.first().orElse("nothing"));
        if (!workload.isolated()) {
            failures.broken()
                    .ifPresent(error -> findings.add(
                            0,
                            "it threw " + error.getClass().getSimpleName()
                                    + ", which may have left this JVM with half-done things: make it isolated"));
        } else if (failures.deaths() > 0) {
            findings.add(
                    0,
                    Quantity.percent((double) failures.deaths() / Math.max(tasks, failures.count()))
                            + " of the tasks killed their worker process: a good thing that it is isolated");
        }
    }

    /** Takes in that a task would not stop. */
    void stuck(String limit) {
        isHopeless = true;
        findings.add(
                0,
                "a task did not end within " + limit + ", and did not stop when it was interrupted: only an isolated "
                        + "workload can be killed. If that is how long a task takes, allow more time");
    }

    /** Takes in that no task has ended. */
    void hung(String limit) {
        isHopeless = true;
        String how = waiting.isEmpty()
                ? ""
                : waiting.getAsDouble() >= WAITS ? " It waited meanwhile." : " It computed meanwhile.";
        findings.add(
                0,
                "no task ended within " + limit + ": if a task takes that long, allow more time; else it hangs, and "
                        + "needs a timeout." + how);
    }
}
