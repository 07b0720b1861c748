package io.stratagem.processpool;

import io.stratagem.Fn;
import io.stratagem.processpool.spi.WireProvider;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.module.Configuration;
import java.lang.module.ResolvedModule;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where worker processes find classes by themselves: this library, and what this JVM was started with. For all else they
 * ask the application ({@link RemoteClassLoader}). Immutable.
 */
/* If this library is in the JVM's own modules, workers get the same modules, with the options that open them or patch
 * them. Otherwise they get a class path: that of this JVM, with the jars of this library, should they be elsewhere. Jars
 * within a jar are copied for each worker, into the directory that exists while it starts.
 */
final class LaunchPath {
    private static final List<String> MODULE_OPTIONS = List.of(
            "--add-exports=",
            "--add-opens=",
            "--add-reads=",
            "--enable-native-access=",
            "--patch-module=",
            "--upgrade-module-path=");

    /** In each of the jars that a worker cannot do without, by the name of that jar. */
    private static final Map<String, Class<?>> REQUIRED =
            Map.of("stratagem-process-pool", WorkerMain.class, "stratagem-core", Fn.class, "slf4j-api", Logger.class);

    /** In each of the jars that core needs for some of its classes, such as a workload's builder; with no ancestors. */
    private static final List<String> FURTHER = List.of(
            "com.google.common.base.Preconditions",
            "com.google.common.util.concurrent.internal.InternalFutureFailureAccess",
            "org.jctools.queues.MessagePassingQueue",
            "org.jctools.queues.varhandle.VarHandleQueueUtil");

    private final List<String> moduleOptions;
    private final List<Copy> copies;
    private final List<String> classPath;
    private final List<String> main;

    private LaunchPath(List<String> moduleOptions, List<Copy> copies, List<String> classPath, List<String> main) {
        this.moduleOptions = List.copyOf(moduleOptions);
        this.copies = List.copyOf(copies);
        this.classPath = List.copyOf(classPath);
        this.main = List.copyOf(main);
    }

    /** A jar within another, under its name as a file. */
    private record Copy(String location, URL source, String fileName) {}

    /**
     * Finds out how this JVM was started.
     *
     * @param javaHome of the workers
     * @param wires what workers need, too; or null
     * @throws IllegalStateException if workers could not be given this library; the message says what to do
     */
    static LaunchPath find(Path javaHome, @Nullable WireProvider wires) {
        Module own = LaunchPath.class.getModule();
        boolean isModular = own.isNamed() && own.getLayer() == ModuleLayer.boot();
        return isModular ? ofModules(own, javaHome) : ofClassPath(wires);
    }

    /** The options that name the classes, and the main class, for a worker that starts with this directory. */
    List<String> arguments(Path directory) {
        List<String> arguments = new ArrayList<>(moduleOptions);
        List<String> entries = new ArrayList<>();
        for (Copy copy : copies) {
            entries.add(directory.resolve(copy.fileName).toString());
        }
        entries.addAll(classPath);
        arguments.add("-cp");
        arguments.add(String.join(File.pathSeparator, entries));
        arguments.addAll(main);
        return arguments;
    }

    boolean hasCopies() {
        return !copies.isEmpty();
    }

    /** Writes the jars that are no files here into the directory. */
    void copyTo(Path directory) throws IOException {
        for (Copy copy : copies) {
            Path file = directory.resolve(copy.fileName);
            try (InputStream source = copy.source.openStream()) {
                Files.copy(source, file);
            }
            if (Files.size(file) == 0) {
                throw new IOException(copy.location + " gave no bytes");
            }
        }
    }

    /** What URLs in the copies of a worker begin with, and what those of the originals do. */
    Map<String, String> originals(Path directory) throws IOException {
        Map<String, String> originals = new HashMap<>();
        if (hasCopies()) {
            Path real = directory.toRealPath(); // as class loaders name files
            for (Copy copy : copies) {
                URI uri = real.resolve(copy.fileName).toUri();
                originals.put("jar:file:" + uri.getRawPath() + "!/", copy.location);
            }
        }
        return originals;
    }

    // ---------------------------------------------------------------------------------------------- modules

    private static LaunchPath ofModules(Module own, Path javaHome) {
        Configuration configuration = ModuleLayer.boot().configuration();
        boolean isSameJava = javaHome.equals(Path.of(System.getProperty("java.home")));
        if (!isSameJava && isInImage(configuration.findModule(own.getName()).orElseThrow())) {
            throw new IllegalStateException(own.getName()
                    + " is in the runtime image of this JVM, and in no other: leave out javaHome, which is "
                    + javaHome);
        }
        // Exactly those of this JVM; those of another JDK are what it takes by default.
        Set<String> names = new TreeSet<>();
        for (ResolvedModule module : configuration.modules()) {
            if (isSameJava || !isInImage(module)) {
                names.add(module.name());
            }
        }
        if (!isSameJava) {
            names.add("ALL-DEFAULT");
        }
        List<String> options = new ArrayList<>();
        String path = System.getProperty("jdk.module.path");
        if (path != null) {
            options.add("--module-path");
            options.add(String.join(File.pathSeparator, split(path)));
        }
        options.add("--add-modules");
        options.add(String.join(",", names));
        for (String argument : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (MODULE_OPTIONS.stream().anyMatch(argument::startsWith)) {
                options.add(argument);
            }
        }
        String main = own.getName() + "/" + WorkerMain.class.getName();
        return new LaunchPath(
                options, List.of(), split(System.getProperty("java.class.path", "")), List.of("-m", main));
    }

    private static boolean isInImage(ResolvedModule module) {
        return module.reference()
                .location()
                .map(uri -> "jrt".equals(uri.getScheme()))
                .orElse(true);
    }

    // ---------------------------------------------------------------------------------------------- class path

    private static LaunchPath ofClassPath(@Nullable WireProvider wires) {
        Set<String> own = new LinkedHashSet<>();
        Set<String> ofJvm = new LinkedHashSet<>(split(System.getProperty("java.class.path", "")));
        String modules = System.getProperty("jdk.module.path");
        if (modules != null) {
            ofJvm.addAll(split(modules));
        }
        List<Copy> copies = new ArrayList<>();
        Map<String, Class<?>> all = new LinkedHashMap<>(REQUIRED);
        if (wires != null) {
            all.put(wires.getClass().getPackageName(), wires.getClass());
        }
        for (Map.Entry<String, Class<?>> required : all.entrySet()) {
            String name = required.getKey();
            Class<?> type = required.getValue();
            if (!isOnClassPath(type) && !add(type, own, copies)) {
                throw new IllegalStateException("Workers cannot be given the classes of " + name + ", which come from "
                        + location(type) + " here: have the jar of " + name
                        + " as a file on the class path (in an executable jar of Spring Boot: as one of those that are"
                        + " unpacked, requiresUnpack)");
            }
        }
        for (String name : FURTHER) {
            Class<?> type = find(name);
            if (type != null && !isOnClassPath(type) && !add(type, own, copies)) {
                LoggerFactory.getLogger(ProcessPoolStrategy.class)
                        .debug("Workers do without {}, which comes from {}", name, location(type));
            }
        }
        List<String> entries = new ArrayList<>(own);
        entries.addAll(ofJvm);
        return new LaunchPath(List.of(), copies, entries, List.of(WorkerMain.class.getName()));
    }

    private static @Nullable Class<?> find(String name) {
        try {
            return Class.forName(name, false, Fn.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError e) {
            return null;
        }
    }

    /** Whether it is there without our doing, be it through the manifest of a jar. */
    private static boolean isOnClassPath(Class<?> type) {
        return isOfJvm(type.getClassLoader());
    }

    /** Whether it is the loader that finds just what workers find by themselves. */
    static boolean isOfJvm(@Nullable ClassLoader loader) {
        return loader == ClassLoader.getSystemClassLoader()
                && loader.getClass().getName().startsWith("jdk.internal."); // it can be replaced by an option
    }

    /** Adds where the class comes from; false if that is nowhere that can be given to others. */
    private static boolean add(Class<?> type, Set<String> files, List<Copy> copies) {
        String location = location(type);
        String inner = location;
        if (location.startsWith("jar:") && location.endsWith("!/")) {
            inner = location.substring("jar:".length(), location.length() - "!/".length());
        }
        try {
            if (inner.startsWith("file:")) {
                files.add(file(inner));
            } else if (inner.length() < location.length()) {
                // By what opened the outer jar: only that knows how to open the inner one.
                URL source = new URL(codeSource(type), inner);
                copies.add(new Copy(location, source, copies.size() + ".jar"));
            } else {
                return false;
            }
            return true;
        } catch (MalformedURLException e) {
            return false;
        }
    }

    private static @Nullable URL codeSource(Class<?> type) {
        CodeSource source = type.getProtectionDomain().getCodeSource();
        return source == null ? null : source.getLocation();
    }

    private static String location(Class<?> type) {
        URL source = codeSource(type);
        return source == null ? "an unknown place" : source.toString();
    }

    private static String file(String url) throws MalformedURLException {
        try {
            return Path.of(new URI(url)).toString();
        } catch (URISyntaxException | IllegalArgumentException e) {
            return new File(new URL(url).getPath()).getAbsolutePath(); // not encoded as it should be
        }
    }

    /** Absolute, since workers may have another working directory. An entry that is empty is the present one. */
    private static List<String> split(String path) {
        List<String> entries = new ArrayList<>();
        if (!path.isEmpty()) {
            for (String entry : path.split(File.pathSeparator, -1)) {
                entries.add(Path.of(entry).toAbsolutePath().toString());
            }
        }
        return entries;
    }
}
