package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import io.stratagem.Workload;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.instrument.Instrumentation;
import java.lang.management.ManagementFactory;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** What workers have from the application's JVM, and what they must not have. */
final class InheritanceTest extends WorkerFixture {
    @TempDir
    Path directory;

    // ---------------------------------------------------------------------------------------------- variables

    @Test
    void removeOptions_leavesTheRest() {
        Map<String, String> environment = new HashMap<>(Map.of(
                "JAVA_TOOL_OPTIONS", "-Da=1",
                "JDK_JAVA_OPTIONS", "-Da=1",
                "_JAVA_OPTIONS", "-Da=1",
                "Java_Tool_Options", "-Da=1",
                "JAVA_HOME", "/jdk",
                "CLASSPATH", "a.jar",
                "LD_PRELOAD", "a.so",
                "PATH", "/bin"));

        Inheritance.removeOptions(environment);

        assertThat(environment).containsOnlyKeys("JAVA_HOME", "CLASSPATH", "LD_PRELOAD", "PATH");
    }

    // ---------------------------------------------------------------------------------------------- options

    /** An agent, which says that it is there. */
    static final class Agent {
        private Agent() {}

        public static void premain(String arguments, Instrumentation instrumentation) {
            System.setProperty("from.agent", "1");
        }
    }

    private Path agentJar() throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Premain-Class", Agent.class.getName());
        Path jar = directory.resolve("agent.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file, manifest)) {
            out.finish(); // the class is on the class path
        }
        return jar;
    }

    /** Prints what it has been given itself, then what its worker has. */
    static final class Spied {
        private static final Workload<Integer, List<String>> LOOK = Workload.blocking("look", input -> look());

        private Spied() {}

        public static void main(String[] arguments) throws IOException {
            try (WorkerProcessStrategy pool = ProcessPoolStrategy.builder()
                    .workerProcesses(1)
                    .maxHeapBytes(64 << 20)
                    .environment("FOR_WORKERS", "1")
                    .build()) {
                look().forEach(line -> System.out.println("here " + line));
                pool.run(LOOK, 0).orElseThrow().forEach(line -> System.out.println("there " + line));
            }
        }

        private static List<String> look() throws IOException {
            List<String> seen = new ArrayList<>();
            seen.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
            seen.addAll(List.of(ProcessHandle.current().info().arguments().orElse(new String[0])));
            System.getenv().forEach((name, value) -> seen.add(name + "=" + value));
            System.getProperties().forEach((name, value) -> seen.add(name + "=" + value));
            try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
                for (Path each : (Iterable<Path>) files::iterator) {
                    if (Files.isSymbolicLink(each)) {
                        seen.add("open " + Files.readSymbolicLink(each));
                    }
                }
            }
            return seen.stream().map(line -> line.replace('\n', ' ')).toList();
        }
    }

    @Test
    void worker_ofAnApplicationWithDebuggerAgentAndManagement_hasNoneOfThem() throws Exception {
        List<String> printed = new JvmRun()
                .environment("JAVA_TOOL_OPTIONS", "-Dfrom.tool=1")
                .environment("JDK_JAVA_OPTIONS", "-Dfrom.launcher=1")
                .environment("_JAVA_OPTIONS", "-Dfrom.underscore=1")
                .environment("CLASSPATH", "for/children.jar")
                .options(
                        "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:0",
                        "-javaagent:" + agentJar(),
                        "-Dcom.sun.management.jmxremote.port=0",
                        "-Dcom.sun.management.jmxremote.authenticate=false",
                        "-Dcom.sun.management.jmxremote.ssl=false",
                        "-Dfrom.command=1")
                .lines(directory, Spied.class);

        String here = lines(printed, "here ");
        String there = lines(printed, "there ");
        assertThat(here)
                .contains("jdwp", "jmxremote", "from.agent", "from.tool", "from.launcher", "from.underscore")
                .contains("from.command", "CLASSPATH=for/children.jar")
                .doesNotContain("FOR_WORKERS");
        assertThat(there)
                .doesNotContain("jdwp", "jmxremote", "javaagent", "from.")
                .doesNotContain("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
                .contains("CLASSPATH=for/children.jar", "FOR_WORKERS=1");
        assertThat(opened(printed, "here "))
                .anyMatch(each -> each.startsWith("socket:"))
                .contains(directory.resolve("printed").toString());
        assertThat(opened(printed, "there "))
                .anyMatch(each -> each.startsWith("socket:"))
                .doesNotContainAnyElementsOf(opened(printed, "here ").stream()
                        .filter(each -> each.startsWith("socket:") || each.startsWith(directory.toString()))
                        .toList());
    }

    private static String lines(List<String> printed, String start) {
        return String.join(
                "\n", printed.stream().filter(line -> line.startsWith(start)).toList());
    }

    private static List<String> opened(List<String> printed, String start) {
        return printed.stream()
                .filter(line -> line.startsWith(start + "open "))
                .map(line -> line.substring(start.length() + "open ".length()))
                .toList();
    }

    // ---------------------------------------------------------------------------------------------- defaults

    /** Prints what functions depend on, here and in a worker. */
    static final class Compared {
        private Compared() {}

        public static void main(String[] arguments) {
            if (arguments.length > 0) {
                Locale.setDefault(Locale.forLanguageTag("tr-TR"));
                Locale.setDefault(Locale.Category.FORMAT, Locale.forLanguageTag("sr-Latn-RS"));
                TimeZone.setDefault(TimeZone.getTimeZone("Asia/Kolkata"));
            }
            try (WorkerProcessStrategy pool = ProcessPoolStrategy.builder()
                    .workerProcesses(1)
                    .maxHeapBytes(64 << 20)
                    .build()) {
                System.out.println(defaults());
                System.out.println(pool.run(Workload.blocking("defaults", input -> defaults()), 0)
                        .orElseThrow());
            }
        }

        private static String defaults() {
            return String.join(
                    " ",
                    Charset.defaultCharset().name(),
                    Locale.getDefault().toString(),
                    Locale.getDefault(Locale.Category.DISPLAY).toString(),
                    Locale.getDefault(Locale.Category.FORMAT).toLanguageTag(),
                    ZoneId.systemDefault().getId());
        }
    }

    @Test
    void defaults_byOptionsOfTheApplication_areTheWorkersToo() throws Exception {
        List<String> printed = new JvmRun()
                .environment("JAVA_TOOL_OPTIONS", "-Duser.timezone=America/New_York")
                .options("-Dfile.encoding=ISO-8859-1", "-Duser.language=de", "-Duser.country=AT")
                .lines(directory, Compared.class);

        String expected = "ISO-8859-1 de_AT de_AT de-AT America/New_York";
        assertThat(printed).filteredOn(line -> line.contains("ISO")).containsExactly(expected, expected);
    }

    @Test
    void defaults_setByTheApplication_areTheWorkersToo() throws Exception {
        List<String> printed = new JvmRun().lines(directory, Compared.class, "set them");

        String expected = " tr_TR tr_TR sr-Latn-RS Asia/Kolkata";
        assertThat(printed).hasSize(2).allSatisfy(line -> assertThat(line).endsWith(expected));
        assertThat(printed.get(1)).isEqualTo(printed.get(0));
    }

    @Test
    void defaults_byOptionsOfThePool_areItsOwn() {
        WorkerProcessStrategy pool = plainPool(
                1, options -> options.jvmOptions("-Duser.timezone=Pacific/Auckland", "-XX:TieredStopAtLevel=1"));

        assertThat(pool.run(Workload.blocking("zone", input -> ZoneId.systemDefault()), 0)
                        .orElseThrow()
                        .getId())
                .isEqualTo("Pacific/Auckland");
    }

    // ---------------------------------------------------------------------------------------------- logs

    /** Logs to a file, here and in workers, and prints who has it open. */
    static final class Logging {
        private Logging() {}

        public static void main(String[] arguments) throws Exception {
            Path file = Path.of(arguments[0]);
            LoggerFactory.getLogger("application").info("here: {}", "żółw");
            try (WorkerProcessStrategy pool = ProcessPoolStrategy.builder()
                    .workerProcesses(2)
                    .maxHeapBytes(64 << 20)
                    .build()) {
                System.out.println("here " + hasOpen(file) + " " + provider());
                Workload<Integer, String> logging = Workload.blocking("logging", input -> {
                    LoggerFactory.getLogger("application").info("there: {}", "żółw");
                    System.out.println("printed: żółw");
                    return hasOpen(Path.of(arguments[0])) + " " + provider();
                });
                System.out.println("there " + pool.run(logging, 0).orElseThrow());
            }
        }

        private static boolean hasOpen(Path file) throws IOException {
            ByteArrayOutputStream links = new ByteArrayOutputStream();
            try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
                for (Path each : (Iterable<Path>) files::iterator) {
                    if (Files.isSymbolicLink(each)) {
                        links.writeBytes(Files.readSymbolicLink(each).toString().getBytes(StandardCharsets.UTF_8));
                    }
                }
            }
            return links.toString(StandardCharsets.UTF_8).contains(file.toString());
        }

        private static String provider() {
            MDC.clear();
            return LoggerFactory.getILoggerFactory() instanceof LoggerContext ? "logback" : "ours";
        }
    }

    @Test
    void logFile_ofTheApplication_isWrittenByTheApplicationOnly() throws Exception {
        Path configuration = Files.createDirectory(directory.resolve("configuration"));
        Path file = directory.resolve("application.log");
        Files.writeString(configuration.resolve("logback-test.xml"), """
                <configuration>
                  <appender name="file" class="ch.qos.logback.core.FileAppender">
                    <file>%s</file>
                    <append>false</append>
                    <encoder><charset>UTF-8</charset><pattern>%%logger %%msg%%n</pattern></encoder>
                  </appender>
                  <root level="INFO"><appender-ref ref="file"/></root>
                </configuration>
                """.formatted(file));

        List<String> printed = new JvmRun()
                .classPath(configuration)
                .options("-Dfile.encoding=ISO-8859-1") // in which the words cannot be written
                .lines(directory, Logging.class, file.toString());

        assertThat(printed).contains("here true logback", "there false ours");
        assertThat(Files.readAllLines(file))
                .hasSize(3)
                .anySatisfy(line -> assertThat(line).isEqualTo("application here: żółw"))
                .anySatisfy(line -> assertThat(line)
                        .startsWith("application stratagem-processes-worker-1")
                        .endsWith("there: żółw"))
                .anySatisfy(line -> assertThat(line)
                        .startsWith("io.stratagem.worker stratagem-processes-worker-1")
                        .endsWith("printed: żółw"));
    }
}
