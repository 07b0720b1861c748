package io.stratagem.processpool;

import java.io.File;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.StringTokenizer;
import org.jspecify.annotations.Nullable;

/**
 * The class path of worker processes: this JVM's class path and module path, and what the class loaders between here and
 * the system's say that they load from.
 */
final class LaunchPath {
    private LaunchPath() {}

    /** Absolute, since workers may have another working directory. */
    static String find(@Nullable ClassLoader context) {
        Set<String> entries = new LinkedHashSet<>();
        addLoaders(entries, context);
        addLoaders(entries, LaunchPath.class.getClassLoader());
        addPath(entries, System.getProperty("java.class.path"));
        addPath(entries, System.getProperty("jdk.module.path"));
        return String.join(File.pathSeparator, entries);
    }

    private static void addPath(Set<String> entries, @Nullable String path) {
        if (path == null) {
            return;
        }
        for (StringTokenizer each = new StringTokenizer(path, File.pathSeparator); each.hasMoreTokens(); ) {
            entries.add(Path.of(each.nextToken()).toAbsolutePath().toString());
        }
    }

    private static void addLoaders(Set<String> entries, @Nullable ClassLoader first) {
        for (ClassLoader loader = first; loader != null; loader = loader.getParent()) {
            if (loader instanceof URLClassLoader urls) {
                for (URL url : urls.getURLs()) {
                    addUrl(entries, url);
                }
            }
        }
    }

    private static void addUrl(Set<String> entries, URL url) {
        if (url.getProtocol().equals("file")) {
            try {
                entries.add(Path.of(new URI(url.toString())).toString());
            } catch (URISyntaxException | IllegalArgumentException e) {
                entries.add(new File(url.getPath()).getAbsolutePath()); // not encoded as it should be
            }
        }
    }
}
