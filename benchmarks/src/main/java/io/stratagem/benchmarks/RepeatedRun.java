package io.stratagem.benchmarks;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** The main class of a {@link Repeated} program: runs a command several times and passes on the metric lines. */
final class RepeatedRun {

    private static final int ARGUMENTS_BEFORE_COMMAND = 2;

    private RepeatedRun() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length <= ARGUMENTS_BEFORE_COMMAND) {
            throw new IllegalArgumentException("expected: TIMES LIMIT_MILLIS COMMAND...");
        }
        Duration limit = Duration.ofMillis(Long.parseLong(arguments[1]));
        List<String> command = List.of(arguments).subList(ARGUMENTS_BEFORE_COMMAND, arguments.length);
        try {
            for (int i = Integer.parseInt(arguments[0]); i > 0; i--) {
                ProgramProcess.run(command, limit).forEach(sample -> System.out.println(sample.line()));
            }
        } catch (ProgramFailedException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }
}
