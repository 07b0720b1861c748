package io.stratagem.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.stratagem.benchmarks.queues.HandOffRun;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every trial of every suite once in this process, and every other Java program but those of JMH and every Python program
 * once in its own, all with hardly anything to do.
 */
final class SuitesTest {

    private static final Machine MACHINE = Machine.here(Path.of("src/main/python"));

    @TestFactory
    Stream<DynamicTest> programs_withHardlyAnythingToDo_printTheirFigures() {
        return Compare.SUITES.stream()
                .flatMap(suite -> suite.contests().stream())
                .flatMap(contest -> contest.programs().entrySet().stream()
                        .filter(entry -> isRunHere(entry.getValue()))
                        .map(entry -> dynamicTest(
                                contest.metric() + "/" + entry.getKey(),
                                () -> assertThat(samples(entry.getValue(), size(contest)))
                                        .isNotEmpty()
                                        .allSatisfy(sample -> {
                                            assertThat(sample.metric()).isEqualTo(contest.metric());
                                            assertThat(sample.unit()).isEqualTo(contest.unit());
                                        }))));
    }

    /** A megabyte through xz takes a second in a JVM that is still cold, and so does a worker killed and replaced. */
    private static String size(Contest contest) {
        return Set.of("xz", "full-strength-after-kill-ms").contains(contest.metric()) ? "1" : "4";
    }

    private static boolean isRunHere(Program program) {
        if (program instanceof Repeated repeated) {
            return isRunHere(repeated.program());
        }
        if (program instanceof JavaProgram java) {
            return !java.main().equals(HandOffRun.class.getName()) // JMH takes its time
                    && java.minimumFeature() <= Jdk.current().feature();
        }
        if (program instanceof JavaWithServer server) {
            return isRunHere(server.client()) && server.words(MACHINE).isPresent();
        }
        return program instanceof PythonProgram python
                && MACHINE.python(python.modules()).isPresent();
    }

    private static List<Sample> samples(Program program, String size) throws Exception {
        if (program instanceof Repeated repeated) {
            return samples(repeated.program(), size);
        }
        if (program instanceof JavaWithServer server) {
            String[] property =
                    JavaWithServer.property(server.words(MACHINE).orElseThrow()).split("=", 2);
            System.setProperty(property[0], property[1]);
            return samples(server.client(), size);
        }
        List<String> command = new ArrayList<>();
        if (program instanceof JavaProgram java) {
            if (java.main().equals(TrialRun.class.getName())) {
                return TrialRun.samples(words(java.arguments(), size));
            }
            command.addAll(List.of(MACHINE.jdk().java(), "-cp", MACHINE.classPath(), java.main()));
            command.addAll(List.of(words(java.arguments(), size)));
        } else if (program instanceof PythonProgram python) {
            command.add(
                    MACHINE.python(python.modules()).orElseThrow().executable().toString());
            command.addAll(
                    List.of("-B", MACHINE.scripts().resolve(python.script()).toString()));
            command.addAll(List.of(words(python.arguments(), size)));
        }
        return ProgramProcess.run(command, Effort.FULL.limit());
    }

    private static String[] words(List<String> arguments, String size) {
        return Stream.concat(arguments.stream(), Stream.of(size, "0", "0")).toArray(String[]::new);
    }
}
