package com.example.app;

import com.google.common.util.concurrent.ListenableFuture;
import io.stratagem.Kind;
import io.stratagem.Workload;
import io.stratagem.processpool.Initializer;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.LoggerFactory;

/** What workers are given to do. Named by the tests. */
public final class Tasks {
    /** As applications have them: whoever initialises this class needs what makes a workload. */
    public static final Workload<Point, Point> MIRROR = Workload.compute("mirror", Tasks::mirror);

    private static String initialized = "no";

    private Tasks() {}

    private static Point mirror(Point point) {
        return new Point(point.y(), point.x(), point.colour() == Colour.RED ? Colour.BLUE : Colour.RED);
    }

    /** Workloads by their names. */
    public static Workload<Object, Object> workload(String name) {
        return switch (name) {
            case "version" -> Workload.blocking(name, input -> Version.name());
            case "fail" ->
                Workload.blocking(name, input -> {
                    throw new AppException("on purpose", new Point(1, 2, Colour.BLUE));
                });
            case "broken" -> Workload.blocking(name, input -> Broken.VALUE);
            case "resource" -> Workload.blocking(name, Tasks::read);
            case "factory" -> Workload.blocking(name, Tasks::loadWithoutUrls);
            case "stream" -> Workload.blocking(name, Tasks::readStream);
            case "resources" -> Workload.blocking(name, Tasks::readAll);
            case "service" -> Workload.blocking(name, input -> greeting());
            case "place" -> Workload.blocking(name, input -> place());
            case "context" -> Workload.blocking(name, input -> isContext());
            case "later" -> Workload.async(name, (input, loop) -> loop.offload(Tasks::isContext));
            case "interrupted" -> Workload.blocking(name, input -> versionWhileInterrupted());
            case "background" -> Workload.blocking(name, input -> inBackground());
            case "initialized" -> Workload.blocking(name, input -> initialized);
            case "make" -> Workload.blocking(name, input -> new Holder(new Point(3, 4, Colour.RED)));
            case "take" -> Workload.blocking(name, input -> ((Holder) input).point.x());
            case "load" ->
                Workload.blocking(name, input -> Class.forName((String) input).getName());
            case "storm" -> Workload.blocking(name, input -> loadByManyThreads());
            case "log" ->
                Workload.blocking(
                        name, input -> LoggerFactory.getLogger("app").getClass().getName());
            case "library" -> Workload.blocking(name, input -> library());
            case "program" -> Workload.blocking(name, input -> versionBesideProgram());
            default -> throw new IllegalArgumentException(name);
        };
    }

    /** A workload that is no function itself. */
    public static Workload<Object, Void> action() {
        return Workload.blockingAction("action", input -> initialized = Version.name());
    }

    /** To be run once in each worker. */
    public static Initializer initializer() {
        return () -> initialized = Version.name();
    }

    /** A value that takes Java serialisation. */
    public static final class Holder implements Serializable {
        private static final long serialVersionUID = 1;
        private final Point point;

        /** Holds it. */
        public Holder(Point point) {
            this.point = point;
        }

        /** What it holds. */
        public Point point() {
            return point;
        }
    }

    private static Object read(Object name) throws IOException {
        URL url = Thread.currentThread().getContextClassLoader().getResource((String) name);
        return url == null ? "none" : read(url);
    }

    private static Object loadWithoutUrls(Object name) throws ClassNotFoundException {
        URL.setURLStreamHandlerFactory(protocol -> {
            throw new IllegalStateException("no URL of " + protocol);
        });
        return Class.forName((String) name);
    }

    private static String readStream(Object name) throws IOException {
        try (InputStream stream = Thread.currentThread().getContextClassLoader().getResourceAsStream((String) name)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static String read(URL url) throws IOException {
        try (InputStream stream = url.openStream()) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }

    private static List<String> readAll(Object name) throws IOException {
        List<String> all = new ArrayList<>();
        for (URL url :
                Collections.list(Thread.currentThread().getContextClassLoader().getResources((String) name))) {
            all.add(read(url));
        }
        return all;
    }

    private static String greeting() {
        return ServiceLoader.load(Greeter.class).findFirst().orElseThrow().greet();
    }

    private static List<String> place() {
        var source = Tasks.class.getProtectionDomain().getCodeSource();
        return List.of(
                String.valueOf(Tasks.class.getModule().getName()),
                Tasks.class.getClassLoader().getClass().getSimpleName(),
                String.valueOf(source == null ? null : source.getLocation()));
    }

    private static boolean isContext() {
        return Thread.currentThread().getContextClassLoader() == Tasks.class.getClassLoader();
    }

    private static String versionWhileInterrupted() {
        Thread.currentThread().interrupt();
        String version = Version.name();
        return version + " " + Thread.interrupted();
    }

    private static String inBackground() throws Exception {
        CompletableFuture<String> version = new CompletableFuture<>();
        new Thread(() -> version.complete(Version.name() + " " + isContext())).start();
        return version.get();
    }

    /** Of each class that they all want at once, there must be one. */
    private static int loadByManyThreads() throws Exception {
        Set<Class<?>> loaded = ConcurrentHashMap.newKeySet();
        List<CompletableFuture<Void>> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            CompletableFuture<Void> end = new CompletableFuture<>();
            threads.add(end);
            new Thread(() -> {
                        try {
                            for (int k = 0; k < 50; k++) {
                                loaded.add(Class.forName("com.example.app.Many$C" + k));
                            }
                            end.complete(null);
                        } catch (Throwable e) {
                            end.completeExceptionally(e);
                        }
                    })
                    .start();
        }
        for (CompletableFuture<Void> each : threads) {
            each.get();
        }
        return loaded.size();
    }

    /** Needs classes of the library that a worker does not need by itself, and those that it depends on. */
    private static String library() {
        Workload<Integer, Integer> nested = Workload.named("nested").isolated().compute(input -> input);
        boolean areTogether = ListenableFuture.class.getClassLoader() == Workload.class.getClassLoader();
        return nested.name() + " " + (nested.kind() == Kind.COMPUTE) + " " + areTogether;
    }

    /** The program reads what this process has got as its standard input. */
    private static String versionBesideProgram() throws Exception {
        Process program = new ProcessBuilder("cat").inheritIO().start();
        String version = Version.name();
        program.waitFor();
        return version;
    }
}
