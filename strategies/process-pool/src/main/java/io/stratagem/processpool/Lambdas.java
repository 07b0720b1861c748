package io.stratagem.processpool;

import java.io.InvalidObjectException;
import java.io.Serializable;
import java.lang.invoke.SerializedLambda;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/**
 * What serialisable lambdas are made of. It is what Java serialisation writes of them and does with it, but without its
 * streams: for those a JVM loads so much that a worker would be ready 20 ms later.
 */
final class Lambdas {
    private Lambdas() {}

    /** The parts of a lambda that captured nothing but what is immutable and small; null of all else. */
    static @Nullable SerializedLambda parts(Object value) {
        Class<?> type = value.getClass();
        if (!type.isHidden() || !(value instanceof Serializable)) {
            return null;
        }
        try {
            Method replace = type.getDeclaredMethod("writeReplace");
            replace.setAccessible(true);
            return replace.invoke(value) instanceof SerializedLambda lambda && isPlain(lambda) ? lambda : null;
        } catch (ReflectiveOperationException | RuntimeException e) {
            return null; // Java serialisation can do it, or can say why not
        }
    }

    /** Objects that are referred to from elsewhere, too, stay what they are only within one stream. */
    private static boolean isPlain(SerializedLambda lambda) {
        for (int i = 0; i < lambda.getCapturedArgCount(); i++) {
            Object captured = lambda.getCapturedArg(i);
            if (captured != null && !Tag.of(captured.getClass()).isScalar()) {
                return false;
            }
        }
        return true;
    }

    /** Makes it again, by the method that the compiler gave the class for that. */
    static Object make(Class<?> capturing, SerializedLambda lambda) throws InvalidObjectException {
        try {
            Method deserialize = capturing.getDeclaredMethod("$deserializeLambda$", SerializedLambda.class);
            deserialize.setAccessible(true);
            Object made = deserialize.invoke(null, lambda);
            if (made == null) {
                throw new InvalidObjectException(capturing.getName() + " made null of a lambda of it");
            }
            return made;
        } catch (ReflectiveOperationException e) {
            Throwable cause = e instanceof InvocationTargetException ? e.getCause() : e;
            InvalidObjectException failure = new InvalidObjectException("a lambda of " + capturing.getName()
                    + " cannot be rebuilt: " + Diagnosis.text(cause == null ? e : cause));
            failure.initCause(e);
            throw failure;
        }
    }
}
