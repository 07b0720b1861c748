package io.stratagem;

import org.jspecify.annotations.Nullable;

/**
 * A task as listeners see it: a workload applied to one input. The same task has the same id in all its events.
 *
 * @param id unique within the strategy
 * @param workload what runs
 * @param input what it is applied to, or null
 */
public record TaskInfo(
        long id, Workload<?, ?> workload, @Nullable Object input) {}
