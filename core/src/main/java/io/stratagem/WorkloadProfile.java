package io.stratagem;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * What {@link Stratagem#profile} has measured, and what it makes of it. {@link #recommendation()} and {@link #table()} are
 * for the terminal, {@link #html()} is for a browser; {@code toString} is one line. Immutable.
 *
 * @param workload the workload's name
 * @param kind what it was declared to be
 * @param isolated whether it was declared to need processes of its own
 * @param best which row is recommended, by its name; empty if none can be
 * @param recommendation what to do, in a sentence or several
 * @param findings what the work showed itself to be, where that is not what it was declared to be, and how it fails; each a
 *     sentence, the most important one first
 * @param warnings what to think of when reading the figures
 * @param waiting which part of its time the work waited, from 0 to 1, when it ran on one thread, or in one worker process
 *     if it is isolated; empty if that could not be measured, and for asynchronous work
 * @param rows how it was run: first what the others are compared with, which is one thread of this JVM, for isolated work
 *     one worker process, and for asynchronous work one task at a time on a loop; then each strategy
 * @param conditions what was measured where, as a line of text
 */
public record WorkloadProfile(
        String workload,
        Kind kind,
        boolean isolated,
        Optional<String> best,
        String recommendation,
        List<String> findings,
        List<String> warnings,
        OptionalDouble waiting,
        List<Row> rows,
        String conditions) {

    /**
     * Copies the lists.
     *
     * @param workload see the record
     * @param kind see the record
     * @param isolated see the record
     * @param best see the record
     * @param recommendation see the record
     * @param findings see the record
     * @param warnings see the record
     * @param waiting see the record
     * @param rows see the record
     * @param conditions see the record
     */
    public WorkloadProfile {
        findings = List.copyOf(findings);
        warnings = List.copyOf(warnings);
        rows = List.copyOf(rows);
    }

    /**
     * One way to run the work.
     *
     * @param name the strategy's name in choices, or {@code one thread}; with what was different, as in {@code process
     *     pool, one worker}
     * @param figures what was measured; empty if nothing could be
     * @param note why nothing was measured, or how tasks failed; or empty
     */
    public record Row(String name, Optional<Figures> figures, String note) {}

    /**
     * What was measured of one way to run the work.
     *
     * @param tasks how many tasks ended
     * @param failures how many of them failed
     * @param tasksPerSecond how many ended in a second when there was always enough to do; on one thread, one after another
     * @param p50 how long half of the lone tasks took at most, from handing one in until its result was there; empty if none
     *     ended
     * @param p99 the same for 99 of 100
     * @param overhead which part of a lone task's time was not spent in the function, from 0 to 1; empty on one thread, or
     *     if none ended
     * @param cpus how many CPUs were in use on average, by this process and its workers; on one thread, by that thread
     * @param sentBytesPerTask what was sent to workers outside this JVM, and received from them, for each task; 0 inside
     * @param allocatedBytesPerTask what a task took of the heap; known on one thread of this JVM only
     * @param residentBytes the memory of the worker processes; empty if there are none, or the system does not say
     * @param start how long the first result of a new strategy took; zero on one thread
     */
    public record Figures(
            long tasks,
            long failures,
            double tasksPerSecond,
            Optional<Duration> p50,
            Optional<Duration> p99,
            OptionalDouble overhead,
            double cpus,
            double sentBytesPerTask,
            OptionalDouble allocatedBytesPerTask,
            OptionalLong residentBytes,
            Duration start) {

        /** Which part of the tasks failed. */
        double failing() {
            return tasks == 0 ? 0 : (double) failures / tasks;
        }
    }

    /**
     * All of it as text for a terminal, the recommendation first; no line is longer than 120 characters.
     *
     * @return several lines, without a line break at the end
     */
    public String table() {
        return new ProfileTable(this).text();
    }

    /**
     * All of it as one page with plots, which needs nothing else: no scripts, fonts or pictures from elsewhere. It is
     * well-formed XML, too.
     *
     * @return the page
     */
    public String html() {
        return new ProfilePage(this).text();
    }

    /**
     * Writes {@link #html()} to a file, in UTF-8. An existing file is replaced.
     *
     * @param file where to
     * @throws IOException if that fails
     */
    public void writeHtml(Path file) throws IOException {
        Files.writeString(file, html());
    }

    /**
     * The row that is recommended.
     *
     * @return the row, or empty if none can be
     */
    public Optional<Row> bestRow() {
        return rows.stream()
                .filter(row -> best.isPresent() && row.name().equals(best.get()))
                .findFirst();
    }

    @Override
    public String toString() {
        return OneLine.of(workload + ": " + recommendation);
    }
}
