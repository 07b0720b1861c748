package io.stratagem;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The two usual policies for a stream of results, in one call each. Both consume the stream in the calling thread
 * and close it.
 */
public final class Results {
    private Results() {}

    /**
     * All values, or the first failure thrown; what has not been done by then is cancelled.
     *
     * @param results what a {@code map} returned; closed on return
     * @param <O> the type of the values
     * @return the values in the order of the stream
     * @throws TaskFailedException if the first failure's cause is a checked exception; an unchecked one is thrown as
     *     it is
     */
    public static <O> List<O> failFast(Stream<Result<O>> results) {
        try (results) {
            List<O> values = new ArrayList<>();
            Iterator<Result<O>> each = results.iterator();
            while (each.hasNext()) {
                values.add(each.next().orElseThrow());
            }
            return Collections.unmodifiableList(values);
        }
    }

    /**
     * All values and all failures; every task is run.
     *
     * @param results what a {@code map} returned; closed on return
     * @param <O> the type of the values
     * @return both, each in the order of the stream
     */
    public static <O> Collected<O> collect(Stream<Result<O>> results) {
        try (results) {
            List<O> values = new ArrayList<>();
            List<Throwable> failures = new ArrayList<>();
            results.forEachOrdered(result -> {
                if (result instanceof Result.Failure<O> failure) {
                    failures.add(failure.cause());
                } else {
                    values.add(result.orElseThrow());
                }
            });
            return new Collected<>(Collections.unmodifiableList(values), Collections.unmodifiableList(failures));
        }
    }

    /**
     * What {@link #collect} gives.
     *
     * @param values the values of the successes; unmodifiable, may hold nulls
     * @param failures the causes of the failures; unmodifiable
     * @param <O> the type of the values
     */
    public record Collected<O>(List<O> values, List<Throwable> failures) {

        /**
         * The values if there was no failure.
         *
         * @return the values
         * @throws TaskFailedException if there was one, with the first as cause and the others suppressed
         */
        public List<O> orElseThrow() {
            if (failures.isEmpty()) {
                return values;
            }
            String count = failures.size() + " of " + (values.size() + failures.size()) + " tasks failed";
            TaskFailedException all =
                    new TaskFailedException(count + ", the first with " + failures.get(0), failures.get(0));
            failures.stream().skip(1).forEach(all::addSuppressed);
            throw all;
        }
    }
}
