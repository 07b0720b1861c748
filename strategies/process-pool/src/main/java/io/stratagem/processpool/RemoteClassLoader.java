package io.stratagem.processpool;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * Stands in a worker for a class loader of the application: finds the classes and resources that the other finds. Any
 * thread may use it; it blocks until the application has answered.
 */
/* What the application's loader finds is what counts, since it may have another version of a class than the class path
 * has. So it is asked for everything but the JDK's classes, and told what is found on the worker's own path: often the
 * answer is just to take that. The JVM's own loader, from whose path the worker's is made, is asked only for what is not
 * found there.
 *
 * This library and SLF4J are always the worker's: the machinery and the tasks must mean the same classes.
 */
final class RemoteClassLoader extends ClassLoader {
    /** That many are noted; then it begins anew. */
    private static final int MOST_NOTED = 10_000;

    static {
        registerAsParallelCapable();
    }

    private final int number;
    private final boolean isParentFirst;
    private final ClassExchange exchange;

    /** The names for which the application's loader finds no more than the parent. */
    private final Set<String> withoutMore = ConcurrentHashMap.newKeySet();

    private final Map<String, ProtectionDomain> domains = new ConcurrentHashMap<>();

    /** By their URLs. Guarded by itself. */
    private final Map<String, JarFile> jars = new HashMap<>();

    /** Stands for the loader that the application knows by that number. */
    RemoteClassLoader(int number, boolean isParentFirst, ClassExchange exchange) {
        super(RemoteClassLoader.class.getClassLoader());
        this.number = number;
        this.isParentFirst = isParentFirst;
        this.exchange = exchange;
    }

    /** By what the application knows the loader that this one stands for. */
    int number() {
        return number;
    }

    /** The way to what the application hosts. */
    HostExchange hosts() {
        return exchange.questions().hosts();
    }

    /** What takes the place of the application's loader as a context class loader. */
    ClassLoader asContext() {
        return isParentFirst ? getParent() : this;
    }

    // ---------------------------------------------------------------------------------------------- classes

    @Override
    protected Class<?> loadClass(String name, boolean mustResolve) throws ClassNotFoundException {
        synchronized (getClassLoadingLock(name)) {
            Class<?> type = findLoadedClass(name);
            if (type == null) {
                type = find(name);
            }
            if (mustResolve) {
                resolveClass(type);
            }
            return type;
        }
    }

    private Class<?> find(String name) throws ClassNotFoundException {
        boolean isOurs = name.startsWith("io.stratagem.") || name.startsWith("org.slf4j.");
        Class<?> local = tryLoad(isParentFirst || isOurs ? getParent() : getPlatformClassLoader(), name);
        if (local != null) {
            return local;
        }
        String path = name.replace('.', '/') + ".class";
        Found found = name.indexOf('/') >= 0 ? null : findOne(path);
        if (found != null && found.isOfParent()) {
            return getParent().loadClass(name);
        }
        if (found != null) {
            return define(name, path, found);
        }
        // A loader may hide its resources.
        Class<?> ofParent = tryLoad(getParent(), name);
        if (ofParent != null) {
            return ofParent;
        }
        throw new ClassNotFoundException(name);
    }

    private static @Nullable Class<?> tryLoad(ClassLoader loader, String name) {
        try {
            return loader.loadClass(name);
        } catch (ClassNotFoundException e) {
            return null;
        }
    }

    private Class<?> define(String name, String path, Found found) throws ClassNotFoundException {
        byte[] bytes;
        try (InputStream stream = open(found.url)) {
            bytes = stream.readAllBytes();
        } catch (IOException e) {
            throw new ClassNotFoundException(name, e);
        }
        String base = base(found.url.toString(), path);
        return defineClass(
                name, bytes, 0, bytes.length, domains.computeIfAbsent(base, each -> domain(each, found.url)));
    }

    private InputStream open(URL url) throws IOException {
        String location = url.toString();
        int end = location.indexOf("!/");
        if (end >= 0 && location.startsWith("jar:file:")) {
            try {
                return openInJar(location.substring("jar:".length(), end), location.substring(end + 1));
            } catch (IllegalArgumentException e) {
                // not encoded as URIs are; connections do not mind
            }
        }
        URLConnection connection = url.openConnection();
        connection.setUseCaches(false);
        return connection.getInputStream();
    }

    private InputStream openInJar(String location, String entryPath) throws IOException {
        JarFile jar = jar(location);
        ZipEntry entry = jar.getEntry(URI.create("entry:" + entryPath).getPath().substring(1));
        if (entry == null) {
            throw new FileNotFoundException(location + "!" + entryPath);
        }
        return jar.getInputStream(entry);
    }

    /* Not by the JDK's connections: those keep each jar open, for all loaders, and go on showing it as it was before it
     * was replaced. These here are closed once this loader cannot be reached.
     */
    private JarFile jar(String location) throws IOException {
        synchronized (jars) {
            JarFile jar = jars.get(location);
            if (jar == null) {
                jar = new JarFile(new File(URI.create(location)), false, ZipFile.OPEN_READ, JarFile.runtimeVersion());
                jars.put(location, jar);
            }
            return jar;
        }
    }

    /** Where it would be said to come from in the application. */
    private static String base(String location, String path) {
        int jar = location.lastIndexOf("!/");
        if (jar >= 0 && location.startsWith("jar:file:")) {
            return location.substring("jar:".length(), jar);
        }
        return location.substring(0, jar >= 0 ? jar + "!/".length() : Math.max(0, location.length() - path.length()));
    }

    private ProtectionDomain domain(String base, URL url) {
        CodeSource source;
        try {
            source = new CodeSource(new URL(url, base), (Certificate[]) null);
        } catch (IOException e) {
            source = new CodeSource(null, (Certificate[]) null);
        }
        return new ProtectionDomain(source, null, this, null);
    }

    // ---------------------------------------------------------------------------------------------- resources

    /**
     * What the application's loader finds.
     *
     * @param url where it is, for this process
     * @param isOfParent whether the parent finds just that
     */
    private record Found(URL url, boolean isOfParent) {}

    @Override
    public @Nullable URL getResource(String name) {
        Found found = findFirst(name);
        return found == null ? null : found.url;
    }

    private @Nullable Found findFirst(String name) {
        URL local = isParentFirst ? getParent().getResource(name) : null;
        return local == null ? findOne(name) : new Found(local, true);
    }

    @Override
    public @Nullable InputStream getResourceAsStream(String name) {
        Found found = findFirst(name);
        try {
            if (found == null) {
                return null;
            }
            return found.isOfParent ? found.url.openStream() : open(found.url);
        } catch (IOException e) {
            return null; // as other loaders do
        }
    }

    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
        List<URL> local = Collections.list(getParent().getResources(name));
        List<URL> urls = new ArrayList<>();
        ask(name, true, local).forEach(found -> urls.add(found.url));
        return Collections.enumeration(urls);
    }

    private @Nullable Found findOne(String name) {
        URL local = isParentFirst ? null : getParent().getResource(name);
        List<Found> found = ask(name, false, local == null ? List.of() : List.of(local));
        return found.isEmpty() ? null : found.get(0);
    }

    /** Asks for the first, or all. */
    private List<Found> ask(String name, boolean forAll, List<URL> local) {
        String note = forAll ? name + "*" : name;
        if (withoutMore.contains(note)) {
            return ofParent(local);
        }
        List<String> known = local.stream().map(URL::toString).toList();
        List<Found> all = new ArrayList<>();
        boolean isAsParent = true;
        for (ClassExchange.Entry entry : exchange.ask(number, name, forAll, known)) {
            URL url = entry.url();
            isAsParent &= url == null && entry.known() == all.size();
            all.add(url == null ? new Found(local.get(entry.known()), true) : new Found(url, false));
        }
        if (isAsParent && all.size() == local.size()) {
            if (withoutMore.size() >= MOST_NOTED) {
                withoutMore.clear();
            }
            withoutMore.add(note);
        }
        return all;
    }

    private static List<Found> ofParent(List<URL> local) {
        return local.stream().map(url -> new Found(url, true)).toList();
    }

    @Override
    public String toString() {
        return "class loader " + number + " of the application";
    }
}
