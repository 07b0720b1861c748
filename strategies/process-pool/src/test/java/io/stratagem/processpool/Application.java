package io.stratagem.processpool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.base.Preconditions;
import com.google.common.util.concurrent.internal.InternalFutureFailureAccess;
import io.stratagem.Fn;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.jctools.queues.MessagePassingQueue;
import org.jctools.queues.varhandle.MpmcVarHandleArrayQueue;
import org.jspecify.annotations.NullMarked;
import org.slf4j.Logger;

/** An application of its own, from {@code src/test/application}: none of its classes is on the path of the tests. */
final class Application {
    static final String MAIN = "com.example.app.Main";
    private static final String WORDS = "META-INF/app/words.txt";
    private static final String SERVICE = "META-INF/services/com.example.app.Greeter";

    private final Path directory;
    private final Path classes;

    private Application(Path directory, Path classes) {
        this.directory = directory;
        this.classes = classes;
    }

    /** Compiles it. */
    static Application in(Path directory) throws IOException {
        Path classes = Files.createDirectories(directory.resolve("classes"));
        try (Stream<Path> sources = Files.walk(Path.of("src/test/application"))) {
            compile(sources.filter(Files::isRegularFile).toList(), classes, libraryPath());
        }
        Files.createDirectories(classes.resolve(WORDS).getParent());
        Files.writeString(classes.resolve(WORDS), "from the application");
        return new Application(directory, classes);
    }

    private static void compile(List<Path> sources, Path target, String path, String... options) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        List<String> all = new ArrayList<>(List.of("-d", target.toString(), "-cp", path));
        all.addAll(List.of(options));
        var files = compiler.getStandardFileManager(null, null, null);
        boolean isDone = compiler.getTask(messages, files, null, all, null, files.getJavaFileObjectsFromPaths(sources))
                .call();
        assertThat(isDone).as(messages::toString).isTrue();
    }

    /** Its classes and resources. */
    Path classes() {
        return classes;
    }

    /** Compiles one more class, which may replace one of the application's, into a directory of its own. */
    Path compile(String className, String... lines) throws IOException {
        Path target = Files.createTempDirectory(directory, "more");
        Path source = Files.createTempDirectory(directory, "source").resolve(className + ".java");
        Files.write(source, List.of(lines));
        compile(List.of(source), target, classes + File.pathSeparator + libraryPath());
        return target;
    }

    /** Another version of a class, in a directory of its own. */
    Path version(String name) throws IOException {
        return compile(
                "Version",
                "package com.example.app;",
                "final class Version { static String name() { return \"" + name + "\"; } }");
    }

    /** The same in a jar, which takes the place of one that is there. */
    Path versionJar(Path jar, String name) throws IOException {
        Map<String, byte[]> contents = contents(version(name), "");
        contents.put("version name.txt", name.getBytes(UTF_8));
        Path made = writeJar(directory.resolve("made.jar"), new Manifest(), contents, false);
        return Files.move(made, jar, StandardCopyOption.REPLACE_EXISTING);
    }

    // ---------------------------------------------------------------------------------------------- what it needs

    /** Jars, or directories of classes in the build's order of things. */
    static List<Path> libraries() {
        return Stream.of(
                        WorkerMain.class,
                        Fn.class,
                        Logger.class,
                        Preconditions.class,
                        InternalFutureFailureAccess.class,
                        MessagePassingQueue.class,
                        MpmcVarHandleArrayQueue.class)
                .map(Application::placeOf)
                .toList();
    }

    static Path placeOf(Class<?> type) {
        try {
            return Path.of(
                    type.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    static String libraryPath() {
        return path(libraries());
    }

    static String path(List<Path> entries) {
        return entries.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }

    /** All of them as jars. */
    List<Path> libraryJars(Path target) throws IOException {
        Files.createDirectories(target);
        List<Path> jars = new ArrayList<>();
        for (Path library : libraries()) {
            Path jar = target.resolve("library-" + jars.size() + ".jar");
            if (Files.isDirectory(library)) {
                writeJar(jar, new Manifest(), contents(library, ""), true);
            } else {
                Files.copy(library, jar);
            }
            jars.add(jar);
        }
        return jars;
    }

    // ---------------------------------------------------------------------------------------------- how it is packaged

    /** As a class path has it, with the file that names its service. */
    Path jar(Path jar, Map<String, String> attributes) throws IOException {
        Map<String, byte[]> contents = contents(classes, "");
        contents.put(SERVICE, "com.example.app.PoliteGreeter".getBytes(UTF_8));
        return writeJar(jar, manifest(attributes), contents, false);
    }

    /** As a module path has it: its service is named in the module's descriptor only. */
    Path module(Path target) throws IOException {
        Path source = directory.resolve("module-info.java");
        Files.writeString(source, """
                module com.example.app {
                    requires io.stratagem.processpool;
                    uses com.example.app.Greeter;
                    provides com.example.app.Greeter with com.example.app.PoliteGreeter;
                }
                """);
        compile(
                List.of(source),
                target,
                "",
                "--module-path",
                libraryPath() + File.pathSeparator + placeOf(NullMarked.class),
                "--patch-module=com.example.app=" + classes);
        Map<String, byte[]> contents = contents(classes, "");
        contents.put("module-info.class", Files.readAllBytes(target.resolve("module-info.class")));
        return writeJar(target.resolve("app.jar"), new Manifest(), contents, false);
    }

    /** As Spring Boot has it. */
    Path springBootJar(Path jar, Path loader) throws IOException {
        Map<String, byte[]> contents = contents(classes, "BOOT-INF/classes/");
        contents.put("BOOT-INF/classes/" + SERVICE, "com.example.app.PoliteGreeter".getBytes(UTF_8));
        for (Path library : libraryJars(directory.resolve("boot-libraries"))) {
            contents.put("BOOT-INF/lib/" + library.getFileName(), Files.readAllBytes(library));
        }
        try (var file = new JarFile(loader.toFile())) {
            for (JarEntry entry : file.stream().toList()) {
                if (entry.getName().startsWith("org/") && !entry.isDirectory()) {
                    contents.put(entry.getName(), file.getInputStream(entry).readAllBytes());
                }
            }
        }
        return writeJar(
                jar,
                manifest(Map.of(
                        "Main-Class", "org.springframework.boot.loader.launch.JarLauncher",
                        "Start-Class", MAIN,
                        "Spring-Boot-Classes", "BOOT-INF/classes/",
                        "Spring-Boot-Lib", "BOOT-INF/lib/")),
                contents,
                true);
    }

    private static Manifest manifest(Map<String, String> attributes) {
        Manifest manifest = new Manifest();
        attributes.forEach((name, value) -> manifest.getMainAttributes().putValue(name, value));
        return manifest;
    }

    private static Map<String, byte[]> contents(Path root, String prefix) throws IOException {
        Map<String, byte[]> contents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                String name = root.relativize(file).toString().replace(File.separatorChar, '/');
                contents.put(prefix + name, Files.readAllBytes(file));
            }
        }
        return contents;
    }

    private static Path writeJar(Path jar, Manifest manifest, Map<String, byte[]> contents, boolean isStored)
            throws IOException {
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        contents.remove("META-INF/MANIFEST.MF");
        Map<String, byte[]> all = new TreeMap<>(contents);
        for (String name : contents.keySet()) {
            for (int slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
                all.put(name.substring(0, slash + 1), new byte[0]);
            }
        }
        all.remove("META-INF/");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file, manifest)) {
            for (Map.Entry<String, byte[]> each : all.entrySet()) {
                JarEntry entry = new JarEntry(each.getKey());
                if (isStored) {
                    CRC32 sum = new CRC32();
                    sum.update(each.getValue());
                    entry.setMethod(ZipEntry.STORED);
                    entry.setSize(each.getValue().length);
                    entry.setCrc(sum.getValue());
                }
                out.putNextEntry(entry);
                out.write(each.getValue());
                out.closeEntry();
            }
        }
        return jar;
    }
}
