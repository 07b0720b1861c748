package io.stratagem.benchmarks.processes;

import io.stratagem.benchmarks.Sample;
import io.stratagem.benchmarks.WrongResultException;
import io.stratagem.processpool.ProcessPoolStrategy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The main class of a JVM that measures the resident memory of each of our workers once it has run trivial tasks, and
 * has nothing to do. A megabyte is a million bytes.
 */
final class IdleWorkerMemory {

    private static final String FIELD = "VmRSS:";
    private static final double BYTES_IN_KB = 1024; // of the kernel's kB
    private static final double BYTES_IN_MB = 1e6;

    private IdleWorkerMemory() {}

    public static void main(String[] arguments) throws IOException, WrongResultException {
        if (arguments.length != 4) {
            throw new IllegalArgumentException("expected: METRIC SIZE WARM_UP_MILLIS MEASURE_MILLIS");
        }
        try (ProcessPoolStrategy strategy = Workers.strategy()) {
            Set<Long> workers = Workers.pidsAfter(Integer.parseInt(arguments[1]), strategy);
            checkAreOurs(workers);
            for (long worker : workers) {
                System.out.println(new Sample(arguments[0], residentMegabytes(worker), "MB").line());
            }
        }
    }

    private static void checkAreOurs(Set<Long> workers) throws WrongResultException {
        long children = ProcessHandle.current()
                .children()
                .filter(child -> workers.contains(child.pid()))
                .count();
        WrongResultException.check("workers that are processes of this JVM", Workers.COUNT, children);
    }

    private static double residentMegabytes(long pid) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc", Long.toString(pid), "status"))) {
            String kilobytes = lines.filter(line -> line.startsWith(FIELD))
                    .map(line -> line.replaceAll("\\D", ""))
                    .findFirst()
                    .orElseThrow();
            return Long.parseLong(kilobytes) * BYTES_IN_KB / BYTES_IN_MB;
        }
    }
}
