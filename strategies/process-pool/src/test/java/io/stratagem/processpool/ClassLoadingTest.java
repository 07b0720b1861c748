package io.stratagem.processpool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.TaskTimeoutException;
import io.stratagem.TransferException;
import io.stratagem.Workload;
import io.stratagem.testkit.Gate;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;

/** Tasks whose classes are on no path that a worker has: they come from the class loader of who submits them. */
final class ClassLoadingTest extends WorkerFixture {
    private static final String WORDS = "META-INF/app/words.txt";

    @TempDir
    static Path shared;

    private static Application application;

    private final List<URLClassLoader> opened = new ArrayList<>();

    @BeforeAll
    static void compile() throws IOException {
        application = Application.in(shared);
    }

    @AfterEach
    void closeLoaders() throws IOException {
        for (URLClassLoader each : opened) {
            each.close();
        }
    }

    // ---------------------------------------------------------------------------------------------- loaders

    /** Has its classes in memory, as if they had come from a database. */
    private static class InMemory extends ClassLoader {
        final Map<String, byte[]> contents = new HashMap<>();

        InMemory(Path... directories) throws IOException {
            this(ClassLoadingTest.class.getClassLoader(), List.of(directories));
        }

        InMemory(ClassLoader parent, List<Path> directories) throws IOException {
            super(parent);
            for (Path directory : directories) {
                try (Stream<Path> files = Files.walk(directory)) {
                    for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                        contents.put(directory.relativize(file).toString(), Files.readAllBytes(file));
                    }
                }
            }
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            byte[] bytes = contents.get(name.replace('.', '/') + ".class");
            if (bytes == null) {
                throw new ClassNotFoundException(name);
            }
            return defineClass(name, bytes, 0, bytes.length);
        }

        @Override
        protected URL findResource(String name) {
            byte[] bytes = contents.get(name);
            try {
                return bytes == null ? null : new URL(null, "database:/" + name, new FromMemory(bytes));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        protected Enumeration<URL> findResources(String name) {
            URL one = findResource(name);
            return Collections.enumeration(one == null ? List.of() : List.of(one));
        }
    }

    private static final class FromMemory extends URLStreamHandler {
        private final byte[] bytes;

        FromMemory(byte[] bytes) {
            this.bytes = bytes;
        }

        @Override
        protected URLConnection openConnection(URL url) {
            return new URLConnection(url) {
                @Override
                public void connect() {}

                @Override
                public InputStream getInputStream() {
                    return new ByteArrayInputStream(bytes);
                }
            };
        }
    }

    /** Finds classes and shows no class files, as if it had generated them. */
    private static final class Secretive extends InMemory {
        Secretive(Path... directories) throws IOException {
            super(directories);
        }

        @Override
        protected URL findResource(String name) {
            return null;
        }
    }

    private static URL[] urls(Path... directories) throws IOException {
        URL[] urls = new URL[directories.length];
        for (int i = 0; i < urls.length; i++) {
            urls[i] = directories[i].toUri().toURL();
        }
        return urls;
    }

    private URLClassLoader urlLoader(Path... directories) throws IOException {
        URLClassLoader loader = new URLClassLoader(urls(directories), ClassLoadingTest.class.getClassLoader());
        opened.add(loader);
        return loader;
    }

    private URLClassLoader childFirst(Path... directories) throws IOException {
        URLClassLoader loader = new ChildFirst(urls(directories), ClassLoadingTest.class.getClassLoader());
        opened.add(loader);
        return loader;
    }

    // ---------------------------------------------------------------------------------------------- what they run

    @SuppressWarnings("unchecked")
    private static Workload<Object, Object> workload(ClassLoader loader, String name) throws Exception {
        Class<?> tasks = loader.loadClass("com.example.app.Tasks");
        return (Workload<Object, Object>)
                tasks.getMethod("workload", String.class).invoke(null, name);
    }

    private static <I, O> Result<O> run(ExecutorStrategy pool, ClassLoader context, Workload<I, O> workload, I input) {
        Thread thread = Thread.currentThread();
        ClassLoader former = thread.getContextClassLoader();
        thread.setContextClassLoader(context);
        try {
            return pool.run(workload, input);
        } finally {
            thread.setContextClassLoader(former);
        }
    }

    private static Result<Object> run(ExecutorStrategy pool, ClassLoader loader, String name, Object input)
            throws Exception {
        return run(pool, loader, workload(loader, name), input);
    }

    private static Object value(ExecutorStrategy pool, ClassLoader loader, String name, Object input) throws Exception {
        return run(pool, loader, name, input).orElseThrow();
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Object point(ClassLoader loader) throws Exception {
        Class<?> colour = loader.loadClass("com.example.app.Colour");
        return loader.loadClass("com.example.app.Point")
                .getConstructor(int.class, int.class, colour)
                .newInstance(1, 2, Enum.valueOf((Class) colour, "RED"));
    }

    /** Values and exceptions of the loader's classes, both ways. */
    @SuppressWarnings("unchecked")
    private static void assertWorks(WorkerProcessStrategy pool, ClassLoader loader) throws Exception {
        Class<?> tasks = loader.loadClass("com.example.app.Tasks");
        var mirror = (Workload<Object, Object>) tasks.getField("MIRROR").get(null);

        Object mirrored = run(pool, loader, mirror, point(loader)).orElseThrow();
        assertThat(mirrored.getClass().getClassLoader()).isSameAs(loader);
        assertThat(mirrored).hasToString("Point[x=2, y=1, colour=BLUE]");

        Throwable cause = causeOf(run(pool, loader, "fail", 0));
        assertThat(cause.getClass().getClassLoader()).isSameAs(loader);
        assertThat(cause).hasMessage("on purpose");
        assertThat(cause.getClass().getMethod("where").invoke(cause)).hasToString("Point[x=1, y=2, colour=BLUE]");

        Object made = value(pool, loader, "make", 0);
        assertThat(made.getClass().getClassLoader()).isSameAs(loader);
        assertThat(value(pool, loader, "take", made)).isEqualTo(3);
    }

    private WorkerProcessStrategy trustingPool() {
        return pool(1, options -> options.allowPackage("com.example.app"));
    }

    // ---------------------------------------------------------------------------------------------- kinds of loaders

    @Test
    void surefire_runsTasksOfItsOwnClassPath() {
        WorkerProcessStrategy pool = pool(1);

        assertThat(pool.run(
                                Workload.blocking(
                                        "place",
                                        input -> ClassLoadingTest.class.getClassLoader()
                                                == ClassLoader.getSystemClassLoader()),
                                0)
                        .orElseThrow())
                .isTrue();
    }

    @Test
    void urlClassLoader_runsTasks() throws Exception {
        assertWorks(trustingPool(), urlLoader(application.classes()));
    }

    @Test
    void childFirstLoader_runsTasks() throws Exception {
        assertWorks(trustingPool(), childFirst(application.classes()));
    }

    @Test
    void loaderThatDefinesClassesFromBytes_runsTasks() throws Exception {
        assertWorks(trustingPool(), new InMemory(application.classes()));
    }

    @Test
    void loadersWithOtherVersionsOfAClass_haveTheirOwnInTheSameWorker() throws Exception {
        WorkerProcessStrategy pool = trustingPool();
        List<ClassLoader> loaders = List.of(
                childFirst(application.version("one"), application.classes()),
                new InMemory(application.classes(), application.version("two")),
                urlLoader(application.classes()));
        long pid = pool.run(PID, 0).orElseThrow();

        for (int i = 0; i < 3; i++) {
            assertThat(value(pool, loaders.get(0), "version", 0)).isEqualTo("one");
            assertThat(value(pool, loaders.get(1), "version", 0)).isEqualTo("two");
            assertThat(value(pool, loaders.get(2), "version", 0)).isEqualTo("base");
        }
        for (ClassLoader loader : loaders) {
            assertWorks(pool, loader);
        }
        assertThat(pool.run(PID, 0).orElseThrow()).isEqualTo(pid);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void jarThatWasReplaced_isReadAnew(boolean isEncoded) throws Exception {
        WorkerProcessStrategy pool = trustingPool();
        long pid = pool.run(PID, 0).orElseThrow();
        URL classes = application.classes().toUri().toURL();

        for (String version : List.of("one", "two")) {
            Path jar = application.versionJar(shared.resolve("replaced here.jar"), version);
            URL url = isEncoded ? jar.toUri().toURL() : new URL("file:" + jar);
            try (URLClassLoader loader =
                    new ChildFirst(new URL[] {url, classes}, ClassLoadingTest.class.getClassLoader())) {
                assertThat(value(pool, loader, "version", 0)).isEqualTo(version);
                assertThat(value(pool, loader, "stream", "version name.txt")).isEqualTo(version);
            }
        }
        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    @Test
    void loaderWithSlf4jOfItsOwn_logsThroughTheWorkers() throws Exception {
        Path copy = Files.copy(Application.placeOf(Logger.class), shared.resolve("slf4j.jar"));
        ClassLoader loader = childFirst(application.classes(), copy);
        assertThat(loader.loadClass(Logger.class.getName())).isNotSameAs(Logger.class);

        assertThat((String) value(trustingPool(), loader, "log", 0)).startsWith(WorkerLogProvider.class.getName());
    }

    // ---------------------------------------------------------------------------------------------- which loader

    @Test
    void contextClassLoader_ofTheTask_isTheSubmitters() throws Exception {
        WorkerProcessStrategy pool = trustingPool();
        ClassLoader loader = urlLoader(application.classes());

        assertThat(value(pool, loader, "context", 0)).isEqualTo(true);
        assertThat(value(pool, loader, "later", 0)).as("off-loaded").isEqualTo(true);
        assertThat(value(pool, loader, "background", 0))
                .as("in a thread of its own")
                .isEqualTo("base true");

        ClassLoader own = ClassLoadingTest.class.getClassLoader();
        Workload<Integer, Boolean> isOwn = Workload.blocking(
                "isOwn",
                input -> Thread.currentThread().getContextClassLoader() == ClassLoadingTest.class.getClassLoader());
        assertThat(run(pool, own, isOwn, 0).orElseThrow()).isTrue();
        assertThat(run(pool, loader, isOwn, 0).orElseThrow()).isFalse();
    }

    @Test
    void contextClassLoader_thatDoesNotKnowTheFunction_leavesItToTheFunctionsOwn() throws Exception {
        WorkerProcessStrategy pool = trustingPool();
        ClassLoader loader = urlLoader(application.classes());
        Object mirrored = value(pool, loader, "make", 0);

        for (ClassLoader context : new ClassLoader[] {null, ClassLoader.getSystemClassLoader()}) {
            Object made = run(pool, context, workload(loader, "make"), 0).orElseThrow();
            assertThat(made.getClass()).isSameAs(mirrored.getClass());
        }
    }

    @Test
    @SuppressWarnings("unchecked")
    void action_withoutContextClassLoader_isFound() throws Exception {
        WorkerProcessStrategy pool = trustingPool();
        ClassLoader loader = urlLoader(application.classes());
        var action = (Workload<Object, Void>)
                loader.loadClass("com.example.app.Tasks").getMethod("action").invoke(null);

        assertThat(run(pool, null, action, 0).isSuccess()).isTrue();
        assertThat(value(pool, loader, "initialized", 0)).isEqualTo("base");
    }

    @Test
    void initializer_isFoundInTheLoaderOfWhoBuildsThePool() throws Exception {
        ClassLoader loader = new InMemory(application.classes());
        var initializer = (Initializer) loader.loadClass("com.example.app.Tasks")
                .getMethod("initializer")
                .invoke(null);
        WorkerProcessStrategy pool = pool(1, options -> options.initializer(initializer));

        assertThat(value(pool, loader, "initialized", 0)).isEqualTo("base");
    }

    // ---------------------------------------------------------------------------------------------- what is not there

    @Test
    void classThatTheApplicationHasNot_isNamedAndNotAskedForAgain() throws Exception {
        WorkerProcessStrategy pool = trustingPool();
        AtomicInteger questions = new AtomicInteger();
        ClassLoader loader = new InMemory(application.classes()) {
            @Override
            protected URL findResource(String name) {
                if (name.contains("Nowhere")) {
                    questions.incrementAndGet();
                }
                return super.findResource(name);
            }
        };

        for (int i = 0; i < 3; i++) {
            assertThat(causeOf(run(pool, loader, "load", "com.example.app.Nowhere")))
                    .isInstanceOf(ClassNotFoundException.class)
                    .hasMessage("com.example.app.Nowhere");
        }
        assertThat(questions).hasValue(1);
        assertThat(value(pool, loader, "load", "com.example.app.Version")).isEqualTo("com.example.app.Version");
    }

    @Test
    void classWithoutAClassFile_failsTheTaskAndSaysWhy() throws Exception {
        WorkerProcessStrategy pool = trustingPool();
        ClassLoader loader = new Secretive(application.classes());

        assertThat(causeOf(run(pool, loader, "version", 0)))
                .isInstanceOf(TransferException.class)
                .hasMessageStartingWith("function of workload 'version' cannot be rebuilt")
                .hasMessageContaining("com.example.app.Tasks")
                .hasMessageContaining("generated at run time");
        assertUsable(pool);
    }

    @Test
    void inputOfAClassTheContextHasNot_failsItsTaskOnly() throws Exception {
        WorkerProcessStrategy pool = trustingPool();
        Object foreign = point(urlLoader(application.classes()));

        assertThat(causeOf(pool.run(Workload.blocking("any", (Object input) -> 1), foreign)))
                .isInstanceOf(TransferException.class)
                .hasMessageContaining(
                        "input of workload 'any' cannot be rebuilt: class com.example.app.Point was not found");
        assertUsable(pool);
    }

    @Test
    void classThatCannotBeInitialised_failsEachTaskThatNeedsIt() throws Exception {
        WorkerProcessStrategy pool = trustingPool();
        ClassLoader loader = new InMemory(application.classes());

        assertThat(causeOf(run(pool, loader, "broken", 0))).isInstanceOf(ExceptionInInitializerError.class);
        assertThat(causeOf(run(pool, loader, "broken", 0))).isInstanceOf(NoClassDefFoundError.class);
        assertThat(value(pool, loader, "version", 0)).isEqualTo("base");
    }

    @Test
    void libraryThatIsInNoFile_isRefusedWithWhatToDo() throws Exception {
        List<FileSystem> jars = new ArrayList<>();
        List<Path> roots = new ArrayList<>();
        try {
            for (Path library : Application.libraries()) {
                if (!Files.isDirectory(library)) {
                    jars.add(FileSystems.newFileSystem(library));
                }
                roots.add(
                        Files.isDirectory(library)
                                ? library
                                : jars.get(jars.size() - 1).getPath("/"));
            }
            ClassLoader loader = new InMemory(ClassLoader.getPlatformClassLoader(), roots);

            var create = loader.loadClass(ProcessPoolStrategy.class.getName()).getMethod("create");

            assertThatThrownBy(() -> create.invoke(null))
                    .cause()
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("Workers cannot be given the classes of")
                    .hasMessageMatching(
                            "(?s).*have the jar of (stratagem-process-pool|stratagem-core|slf4j-api) as a file.*");
        } finally {
            for (FileSystem jar : jars) {
                jar.close();
            }
        }
    }

    // ---------------------------------------------------------------------------------------------- resources

    @Test
    void resources_comeFromTheContextClassLoader() throws Exception {
        WorkerProcessStrategy pool = trustingPool();
        Path more = Files.createDirectories(shared.resolve("resources/META-INF/app"));
        Files.writeString(more.resolve("words.txt"), "more");
        ClassLoader files = urlLoader(application.classes(), shared.resolve("resources"));
        InMemory memory = new InMemory(application.classes());
        memory.contents.put("large", "x".repeat(3_000_000).getBytes(UTF_8));

        for (int i = 0; i < 2; i++) {
            assertThat(value(pool, files, "resource", WORDS)).isEqualTo("from the application");
            assertThat(value(pool, files, "resources", WORDS)).isEqualTo(List.of("from the application", "more"));
            assertThat(value(pool, memory, "resource", WORDS)).isEqualTo("from the application");
            assertThat(value(pool, memory, "resources", WORDS)).isEqualTo(List.of("from the application"));
            assertThat(value(pool, memory, "resource", "nowhere")).isEqualTo("none");
            assertThat(value(pool, memory, "resources", "nowhere")).isEqualTo(List.of());
            assertThat((String) value(pool, memory, "resource", "large")).hasSize(3_000_000);
            assertThat(value(pool, memory, "resource", "../classes/" + WORDS)).isEqualTo("none");
        }
    }

    @Test
    void resource_thatIsTooLarge_isNotThere() throws Exception {
        WorkerProcessStrategy pool = pool(1, options -> options.maxMessageBytes(100_000));
        InMemory loader = new InMemory(application.classes());
        loader.contents.put("large", new byte[5_000_000]);

        assertThat(value(pool, loader, "resource", "large")).isEqualTo("none");
        assertThat(value(pool, loader, "resource", WORDS)).isEqualTo("from the application");
    }

    // ---------------------------------------------------------------------------------------------- trouble

    @Test
    void manyThreads_loadTheSameClasses() throws Exception {
        String[] lines = new String[52];
        lines[0] = "package com.example.app; final class Many {";
        for (int i = 0; i < 50; i++) {
            lines[i + 1] = "static class C" + i + (i == 0 ? "" : " extends C" + (i - 1)) + " {}";
        }
        lines[51] = "}";
        ClassLoader loader = new InMemory(application.classes(), application.compile("Many", lines));

        assertThat(value(trustingPool(), loader, "storm", 0)).isEqualTo(50);
    }

    @Test
    void interruptedThread_loadsClassesAndStaysInterrupted() throws Exception {
        WorkerProcessStrategy pool = trustingPool();

        assertThat(value(pool, new InMemory(application.classes()), "interrupted", 0))
                .isEqualTo("base true");
        assertUsable(pool);
    }

    @Test
    void programThatReadsItsStandardInput_takesNothingFromTheWorker() throws Exception {
        WorkerProcessStrategy pool = trustingPool();

        assertThat(value(pool, new InMemory(application.classes()), "program", 0))
                .isEqualTo("base");
        assertUsable(pool);
    }

    @Test
    void urlFactoryThatThrows_failsTheTaskThatHasSetIt() throws Exception {
        WorkerProcessStrategy pool = trustingPool();
        Path jar = application.versionJar(shared.resolve("unlinked.jar"), "unlinked");
        ClassLoader loader = childFirst(jar, application.classes());

        assertThat(causeOf(run(pool, loader, "factory", "com.example.app.Version")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("unlinked.jar!/com/example/app/Version.class")
                .hasRootCauseMessage("no URL of jar");
    }

    @Test
    void loaderThatThrows_isAsOneThatHasNothing() throws Exception {
        WorkerProcessStrategy pool = trustingPool();
        ClassLoader loader = new InMemory(application.classes()) {
            @Override
            protected URL findResource(String name) {
                throw new IllegalStateException("closed");
            }
        };

        assertThat(causeOf(run(pool, loader, "version", 0))).isInstanceOf(TransferException.class);
        assertUsable(pool);
    }

    @Test
    void loaderWhoseResourcesCannotBeRead_isAsOneThatHasNothing() throws Exception {
        WorkerProcessStrategy pool = trustingPool();
        long pid = pool.run(PID, 0).orElseThrow();
        ClassLoader loader = new InMemory(application.classes()) {
            @Override
            protected URL findResource(String name) {
                try {
                    return new URL(null, "closed:" + name, new URLStreamHandler() {
                        @Override
                        protected URLConnection openConnection(URL url) {
                            throw new IllegalStateException("closed");
                        }
                    });
                } catch (MalformedURLException e) {
                    throw new IllegalStateException(e);
                }
            }
        };

        assertThat(causeOf(run(pool, loader, "version", 0))).isInstanceOf(TransferException.class);
        assertThat(pool.run(PID, 0).orElseThrow()).as("the same process").isEqualTo(pid);
    }

    @Test
    void loaderThatHangs_doesNotHoldUpTheTimeout() throws Exception {
        WorkerProcessStrategy pool = trustingPool();
        Gate gate = gate();
        ClassLoader loader = new InMemory(application.classes()) {
            @Override
            protected URL findResource(String name) {
                try {
                    gate.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                return super.findResource(name);
            }
        };
        Workload<Object, Object> hanging = Workload.named("hanging")
                .timeout(Duration.ofMillis(300))
                .blocking(input -> Class.forName(
                                "com.example.app.Version",
                                true,
                                Thread.currentThread().getContextClassLoader())
                        .getName());

        assertThat(causeOf(run(pool, loader, hanging, 0))).isInstanceOf(TaskTimeoutException.class);

        gate.open();
        assertThat(value(pool, loader, "version", 0)).isEqualTo("base");
    }
}
