package io.stratagem.processpool;

import java.net.URL;
import java.net.URLClassLoader;

/** Looks into its own directories first, as loaders of web applications do. */
final class ChildFirst extends URLClassLoader {
    ChildFirst(URL[] directories, ClassLoader parent) {
        super(directories, parent);
    }

    @Override
    protected Class<?> loadClass(String name, boolean mustResolve) throws ClassNotFoundException {
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            if (loaded == null && findResource(name.replace('.', '/') + ".class") != null) {
                loaded = findClass(name);
            }
            return loaded != null ? loaded : super.loadClass(name, mustResolve);
        }
    }

    @Override
    public URL getResource(String name) {
        URL own = findResource(name);
        return own != null ? own : super.getResource(name);
    }
}
