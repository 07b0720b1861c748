package io.stratagem.processpool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Workload;
import io.stratagem.testkit.Patience;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whole applications, each packaged and started in another way, that run tasks in a worker. */
@Timeout(value = Patience.TEST_SECONDS, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class EmbeddingTest {
    @TempDir
    static Path shared;

    @TempDir
    Path directory;

    private static Application application;

    private Path temporary;

    @BeforeAll
    static void compile() throws IOException {
        application = Application.in(shared);
    }

    @BeforeEach
    void makeDirectory() throws IOException {
        temporary = Files.createDirectory(directory.resolve("temporary"));
    }

    /** Runs a JVM to its end, which must be a good one, and gives what the application said. */
    private Map<String, String> run(String... arguments) throws IOException, InterruptedException {
        return runBy(Path.of(System.getProperty("java.home")), arguments);
    }

    private Map<String, String> runBy(Path javaHome, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                javaHome.resolve("bin").resolve("java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Xmx64m",
                "-Djava.io.tmpdir=" + temporary));
        command.addAll(List.of(arguments));
        Path printed = directory.resolve("printed");
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(printed.toFile())
                .directory(directory.toFile());
        builder.environment().put("LC_ALL", "C.UTF-8"); // for paths that are not ASCII
        builder.environment().remove("CLASSPATH");
        Process process = builder.start();
        try {
            assertThat(process.waitFor(Patience.TEST_SECONDS - 5, TimeUnit.SECONDS))
                    .as("it ends")
                    .isTrue();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        String text = Files.readString(printed, UTF_8);
        assertThat(process.exitValue()).as(text).isZero();
        assertThat(WorkerFixture.list(temporary)).as("left behind").isEmpty();
        return new TreeMap<>(text.lines()
                .filter(line -> line.startsWith("answer "))
                .map(line -> line.substring("answer ".length()).split("=", 2))
                .collect(Collectors.toMap(parts -> parts[0], parts -> parts[1])));
    }

    /** What each gets, but for the place that the classes of its tasks say they come from. */
    private static void assertRight(Map<String, String> answers, String module, String loader) {
        assertThat(answers)
                .containsEntry("mirror", "Point[x=2, y=1, colour=BLUE]")
                .containsEntry("elsewhere", "true")
                .containsEntry("fail", "com.example.app.AppException: on purpose")
                .containsEntry("service", "good day")
                .containsEntry("resource", "from the application")
                .containsEntry("context", "true")
                .containsEntry("library", "nested true")
                .hasEntrySatisfying(
                        "broken", text -> assertThat(text).startsWith("java.lang.ExceptionInInitializerError"))
                .hasEntrySatisfying("place", text -> assertThat(text).startsWith("[" + module + ", " + loader + ", "));
    }

    @Test
    void plainClassPath_runsTasks() throws Exception {
        Path jar = application.jar(directory.resolve("app.jar"), Map.of());

        // Relative, since the worker's class path must not be.
        Map<String, String> answers = run("-cp", "app.jar:" + Application.libraryPath(), Application.MAIN);

        assertRight(answers, "null", "AppClassLoader");
        assertThat(answers.get("place")).endsWith("file:" + jar + "]");
    }

    @Test
    void modulePath_runsTasksInTheSameModules() throws Exception {
        Path jar = application.module(directory);

        Map<String, String> answers = run(
                "--module-path",
                jar + ":" + Application.libraryPath(),
                "--module",
                "com.example.app/" + Application.MAIN);

        assertRight(answers, "com.example.app", "AppClassLoader");
    }

    @Test
    void modulePath_withPatchedModule_runsTasksInItToo() throws Exception {
        Path jar = application.module(directory);
        Path patch = application.version("patched");
        // As build tools run the tests of a module: with its package-private parts.
        Path probe = application.compile(
                "Probe",
                "package com.example.app;",
                "public final class Probe {",
                "    public static void main(String[] arguments) {",
                "        try (var pool = io.stratagem.processpool.ProcessPoolStrategy.create()) {",
                "            var version = io.stratagem.Workload.blocking(\"v\", input -> Version.name());",
                "            System.out.println(\"answer version=\" + pool.run(version, 0).orElseThrow());",
                "        }",
                "    }",
                "}");

        Map<String, String> answers = run(
                "--module-path",
                jar + ":" + Application.libraryPath(),
                "--patch-module",
                "com.example.app=" + probe + ":" + patch,
                "--module",
                "com.example.app/com.example.app.Probe");

        assertThat(answers).containsEntry("version", "patched");
    }

    @Test
    @Tag("soak") // jlink takes its time
    void runtimeImage_runsTasks() throws Exception {
        Path jar = application.module(directory);
        Path image = directory.resolve("image");
        ToolProvider jlink = ToolProvider.findFirst("jlink").orElseThrow();
        StringWriter messages = new StringWriter();
        int code = jlink.run(
                new PrintWriter(messages, true),
                new PrintWriter(messages, true),
                "--module-path",
                jar + File.pathSeparator + Application.libraryPath(),
                "--add-modules",
                "com.example.app",
                "--output",
                image.toString());
        assertThat(code).as(messages::toString).isZero();

        Map<String, String> answers = runBy(image, "--module", "com.example.app/" + Application.MAIN);

        assertRight(answers, "com.example.app", "AppClassLoader");
        assertThat(answers.get("place")).contains("jrt:/com.example.app");
    }

    @Test
    void executableJar_withClassPathAndAnUncommonPlace_runsTasks() throws Exception {
        Path place = Files.createDirectory(directory.resolve("mit Leerzeichen & Ümläut €"));
        String libraries = application.libraryJars(place.resolve("lib")).stream()
                .map(jar -> "lib/" + jar.getFileName())
                .collect(Collectors.joining(" "));
        Path jar = application.jar(
                place.resolve("größe +1.jar"), Map.of("Main-Class", Application.MAIN, "Class-Path", libraries));

        Map<String, String> answers = run("-jar", jar.toString());

        assertRight(answers, "null", "AppClassLoader");
    }

    @Test
    void springBootJar_runsTasksWithClassesThatCameOverTheConnection() throws Exception {
        Path loader = Application.placeOf(Class.forName("org.springframework.boot.loader.launch.JarLauncher"));
        Path jar = application.springBootJar(directory.resolve("boot.jar"), loader);

        Map<String, String> answers = run("-jar", jar.toString());

        assertRight(answers, "null", "RemoteClassLoader");
        assertThat(answers.get("place")).contains("BOOT-INF/classes/");
    }

    @Test
    void libraryInALoaderOfABuildTool_runsTasks() throws Exception {
        // As mvn exec:java does it: the JVM's own class path has nothing of the application.
        Path starter = application.compile(
                "Starter",
                "public final class Starter {",
                "    public static void main(String[] paths) throws Exception {",
                "        var urls = new java.net.URL[paths.length];",
                "        for (int i = 0; i < urls.length; i++) {",
                "            urls[i] = java.nio.file.Path.of(paths[i]).toUri().toURL();",
                "        }",
                "        var loader = new java.net.URLClassLoader(urls, ClassLoader.getPlatformClassLoader());",
                "        var main = loader.loadClass(\"" + Application.MAIN
                        + "\").getMethod(\"main\", String[].class);",
                "        Thread thread = new Thread(() -> {",
                "            try {",
                "                main.invoke(null, (Object) new String[0]);",
                "            } catch (ReflectiveOperationException e) {",
                "                throw new IllegalStateException(e);",
                "            }",
                "        });",
                "        thread.setContextClassLoader(loader);",
                "        thread.start();",
                "    }",
                "}");
        List<String> arguments = new ArrayList<>(List.of("-cp", starter.toString(), "Starter"));
        arguments.add(application.jar(directory.resolve("app.jar"), Map.of()).toString());
        Application.libraries().forEach(library -> arguments.add(library.toString()));

        Map<String, String> answers = run(arguments.toArray(new String[0]));

        assertRight(answers, "null", "RemoteClassLoader");
    }

    @Test
    void loaderWithAnotherVersionThanTheClassPath_hasItsOwn() throws Exception {
        Path jar = application.jar(directory.resolve("app.jar"), Map.of());
        Path overlay = application.version("overlay");

        Map<String, String> answers = run(
                "-cp",
                jar + File.pathSeparator + System.getProperty("java.class.path"),
                Overlaying.class.getName(),
                overlay + "/",
                application.classes() + "/");

        assertThat(answers).containsEntry("plain", "base base").containsEntry("overlaid", "overlay overlay");
    }

    /** Has a class on its class path, and another version of it in a loader that looks there first. */
    static final class Overlaying {
        private Overlaying() {}

        public static void main(String[] arguments) throws Exception {
            ClassLoader plain = Overlaying.class.getClassLoader();
            try (ProcessPoolStrategy pool = pool();
                    var overlaid = new ChildFirst(urls(arguments), plain)) {
                String ofPlain = version(pool, plain);
                String ofOverlaid = version(pool, overlaid);
                System.out.println("answer plain=" + ofPlain + " " + version(pool, plain));
                System.out.println("answer overlaid=" + ofOverlaid + " " + version(pool, overlaid));
            }
        }
    }

    @Test
    void loaderThatIsDropped_isCollectedHereAndInTheWorker() throws Exception {
        Map<String, String> answers = run(
                "-XX:SoftRefLRUPolicyMSPerMB=0", // Java serialisation keeps classes by soft references
                "-cp",
                System.getProperty("java.class.path"),
                Undeploying.class.getName(),
                application.classes() + "/");

        assertThat(answers).containsEntry("here", "collected").containsEntry("worker", "collected");
    }

    /** Deploys something, runs tasks of it, and drops it while the pool lives on. */
    static final class Undeploying {
        private static WeakReference<ClassLoader> seen; // in the worker

        private Undeploying() {}

        public static void main(String[] arguments) throws Exception {
            try (ProcessPoolStrategy pool = pool()) {
                WeakReference<ClassLoader> deployed = deploy(pool, arguments);
                awaitCollected(deployed);
                System.out.println("answer here=collected");

                deploy(pool, arguments); // only now the worker hears that the former is gone
                awaitInWorker(pool);
                System.out.println("answer worker=collected");
            }
        }

        private static WeakReference<ClassLoader> deploy(ProcessPoolStrategy pool, String[] directories)
                throws Exception {
            try (var loader = new ChildFirst(urls(directories), Undeploying.class.getClassLoader())) {
                version(pool, loader);
                Thread.currentThread().setContextClassLoader(loader);
                pool.run(
                                Workload.blockingAction("see", input -> {
                                    if (seen == null) {
                                        seen = new WeakReference<>(
                                                Thread.currentThread().getContextClassLoader());
                                    }
                                }),
                                0)
                        .orElseThrow();
                return new WeakReference<>(loader);
            } finally {
                Thread.currentThread().setContextClassLoader(Undeploying.class.getClassLoader());
            }
        }

        private static void awaitInWorker(ProcessPoolStrategy pool) {
            pool.run(Workload.blockingAction("awaitCollected", input -> awaitCollected(seen)), 0)
                    .orElseThrow();
        }

        private static void awaitCollected(WeakReference<ClassLoader> loader) {
            Patience.await().until(() -> {
                System.gc();
                return loader.refersTo(null);
            });
        }
    }

    // ---------------------------------------------------------------------------------------------- in those programs

    private static ProcessPoolStrategy pool() {
        return ProcessPoolStrategy.builder()
                .workerProcesses(1)
                .maxHeapBytes(64 << 20)
                .jvmOptions("-XX:TieredStopAtLevel=1", "-XX:SoftRefLRUPolicyMSPerMB=0")
                .build();
    }

    private static URL[] urls(String[] directories) throws IOException {
        URL[] urls = new URL[directories.length];
        for (int i = 0; i < urls.length; i++) {
            urls[i] = new URL("file:" + directories[i]);
        }
        return urls;
    }

    @SuppressWarnings("unchecked")
    private static String version(ProcessPoolStrategy pool, ClassLoader loader) throws Exception {
        var workload = (Workload<Object, Object>) loader.loadClass("com.example.app.Tasks")
                .getMethod("workload", String.class)
                .invoke(null, "version");
        Thread thread = Thread.currentThread();
        ClassLoader former = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            return (String) pool.run(workload, 0).orElseThrow();
        } finally {
            thread.setContextClassLoader(former);
        }
    }
}
