package io.stratagem.processpool;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A value for which something happens in this JVM, and in no worker, when it is serialised or rebuilt here. */
final class Hooked implements Serializable {
    private static final long serialVersionUID = 1;

    /** In this JVM. */
    private static final Map<String, Runnable> HOOKS = new ConcurrentHashMap<>();

    private final String name;

    Hooked(String name) {
        this.name = name;
    }

    static void whenWritten(String name, Runnable action) {
        HOOKS.put(name + " written", action);
    }

    static void whenRead(String name, Runnable action) {
        HOOKS.put(name + " read", action);
    }

    static void clear() {
        HOOKS.clear();
    }

    String name() {
        return name;
    }

    private void reach(String stage) {
        Runnable hook = HOOKS.get(name + " " + stage);
        if (hook != null) {
            hook.run();
        }
    }

    private void writeObject(ObjectOutputStream out) throws IOException {
        reach("written");
        out.defaultWriteObject();
    }

    private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
        in.defaultReadObject();
        reach("read");
    }
}
