package io.stratagem.processpool;

import java.io.Serializable;
import java.lang.invoke.MethodHandleInfo;
import java.lang.invoke.SerializedLambda;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The way from an object to one that it refers to.
 *
 * @param path as {@code Order.customer.connection}; empty if it is the object itself
 * @param capturesThis whether the way leads over a lambda's {@code this}
 */
record FieldPath(String path, boolean capturesThis) {
    /** So many objects are looked at; the message has no path if that was not enough. */
    private static final int MAX_VISITED = 100_000;

    private static final int MAX_KEY_LENGTH = 40;

    /**
     * The shortest way to an instance of the class over what Java serialisation would go through, or null if none is
     * found: what classes make of themselves, as by {@code writeObject}, is not seen.
     */
    static @Nullable FieldPath find(Object root, String className) {
        try {
            return new Search(className).from(root);
        } catch (RuntimeException | LinkageError | StackOverflowError e) {
            return null; // of an object's own methods; only the path is missing then
        }
    }

    private record Node(Object object, @Nullable Node parent, String step, boolean isCapturedThis) {}

    private static final class Search {
        private final String className;
        private final Set<Object> visited = Collections.newSetFromMap(new IdentityHashMap<>());
        private final Queue<Node> pending = new ArrayDeque<>();

        Search(String className) {
            this.className = className;
        }

        @Nullable
        FieldPath from(Object root) {
            add(root, null, "", false);
            for (Node node = pending.poll(); node != null; node = pending.poll()) {
                if (node.object.getClass().getName().equals(className)) {
                    return describe(node);
                }
                expand(node);
            }
            return null;
        }

        private void add(@Nullable Object object, @Nullable Node parent, String step, boolean isCapturedThis) {
            if (object != null && visited.size() < MAX_VISITED && visited.add(object)) {
                pending.add(new Node(object, parent, step, isCapturedThis));
            }
        }

        private void expand(Node node) {
            Object object = node.object;
            Class<?> type = object.getClass();
            if (object instanceof String || object instanceof Class || object instanceof Enum) {
                return;
            }
            if (object instanceof Object[] array) {
                for (int i = 0; i < array.length; i++) {
                    add(array[i], node, "[" + i + "]", false);
                }
            } else if (object instanceof Serializable || type.isRecord()) {
                SerializedLambda lambda = lambda(object);
                if (lambda != null) {
                    expandLambda(node, lambda);
                    return;
                }
                if (isOfTheJdk(type)) {
                    expandContainer(node, object);
                }
                expandFields(node, object);
            }
        }

        private void expandLambda(Node node, SerializedLambda lambda) {
            for (int i = 0; i < lambda.getCapturedArgCount(); i++) {
                if (i > 0 || isStatic(lambda)) {
                    add(lambda.getCapturedArg(i), node, ".captured[" + i + "]", false);
                } else {
                    boolean isThis = lambda.getImplMethodName().startsWith("lambda$");
                    add(lambda.getCapturedArg(i), node, isThis ? ".this" : ".receiver", isThis);
                }
            }
        }

        private static boolean isStatic(SerializedLambda lambda) {
            int kind = lambda.getImplMethodKind();
            return kind == MethodHandleInfo.REF_invokeStatic || kind == MethodHandleInfo.REF_newInvokeSpecial;
        }

        /** Whether a collection is, or extends, one of the JDK's, whose iterators do nothing unexpected. */
        private static boolean isOfTheJdk(Class<?> type) {
            for (Class<?> c = type; c != null; c = c.getSuperclass()) {
                if (c.getName().startsWith("java.util.") && !Modifier.isAbstract(c.getModifiers())) {
                    return true;
                }
            }
            return false;
        }

        private void expandContainer(Node node, Object object) {
            if (object instanceof Collection<?> collection) {
                int i = 0;
                for (Object element : collection) {
                    add(element, node, "[" + i + "]", false);
                    i++;
                }
            } else if (object instanceof Map<?, ?> map) {
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    String key = text(entry.getKey());
                    add(entry.getKey(), node, ".key(" + key + ")", false);
                    add(entry.getValue(), node, "[" + key + "]", false);
                }
            }
        }

        private static String text(@Nullable Object key) {
            if (key == null || key instanceof String || key instanceof Number || key instanceof Enum) {
                String text = String.valueOf(key);
                return text.length() <= MAX_KEY_LENGTH ? text : text.substring(0, MAX_KEY_LENGTH) + "…";
            }
            return key.getClass().getSimpleName();
        }

        private void expandFields(Node node, Object object) {
            for (Class<?> c = object.getClass(); c != null; c = c.getSuperclass()) {
                if (!Serializable.class.isAssignableFrom(c) && !c.isRecord()) {
                    return;
                }
                for (Field field : c.getDeclaredFields()) {
                    boolean isSent = (field.getModifiers() & (Modifier.STATIC | Modifier.TRANSIENT)) == 0;
                    if (isSent && !field.getType().isPrimitive() && field.trySetAccessible()) {
                        add(value(field, object), node, "." + field.getName(), false);
                    }
                }
            }
        }

        private static @Nullable Object value(Field field, Object object) {
            try {
                return field.get(object);
            } catch (IllegalAccessException e) {
                return null;
            }
        }

        private static FieldPath describe(Node found) {
            if (found.parent == null) {
                return new FieldPath("", false);
            }
            StringBuilder path = new StringBuilder();
            boolean capturesThis = false;
            for (Node node = found; node != null; node = node.parent) {
                path.insert(0, node.parent == null ? name(node.object) : node.step);
                capturesThis |= node.isCapturedThis;
            }
            return new FieldPath(path.toString(), capturesThis);
        }

        private static String name(Object root) {
            SerializedLambda lambda = lambda(root);
            if (lambda == null) {
                return root.getClass().getSimpleName();
            }
            String capturing = lambda.getCapturingClass();
            return "(lambda in " + capturing.substring(capturing.lastIndexOf('/') + 1) + ")";
        }

        private static @Nullable SerializedLambda lambda(Object object) {
            if (!object.getClass().isSynthetic()) {
                return null;
            }
            try {
                Method writeReplace = object.getClass().getDeclaredMethod("writeReplace");
                return writeReplace.trySetAccessible() && writeReplace.invoke(object) instanceof SerializedLambda lambda
                        ? lambda
                        : null;
            } catch (ReflectiveOperationException e) {
                return null;
            }
        }
    }
}
