package io.stratagem.processpool;

import io.stratagem.TransferException;
import io.stratagem.processpool.Bytes.MalformedException;
import io.stratagem.processpool.Bytes.TooLargeException;
import java.io.NotSerializableException;
import java.io.ObjectStreamException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Says what is wrong with a value that could not be serialised or rebuilt, for who has to mend it. */
final class Diagnosis {
    private static final Set<String> WRITING = Set.of("writeObject", "writeExternal", "writeReplace");
    private static final Set<String> READING =
            Set.of("readObject", "readObjectNoData", "readExternal", "readResolve", "validateObject");

    private static final String LAMBDA_REMEDY = " (a lambda is if its type is, as Fn; or if it is cast, as in"
            + " (Callable<String> & Serializable) () -> …)";

    private Diagnosis() {}

    /** Rethrows the errors that are not the value's fault. */
    static TransferException ofWriting(String what, @Nullable Object root, Throwable failure) {
        String className = null;
        String problem;
        if (failure instanceof TooLargeException) {
            problem = "it takes " + failure.getMessage();
        } else if (failure instanceof NotSerializableException && failure.getMessage() != null) {
            className = failure.getMessage().lines().findFirst().orElse(""); // more with extendedDebugInfo
            problem = className + " is not Serializable"
                    + (isLambda(className) ? LAMBDA_REMEDY : "")
                    + remedyOfRecord(className);
        } else {
            StackTraceElement culprit = culprit(failure, WRITING);
            className = culprit == null ? null : culprit.getClassName();
            problem = problem(failure, culprit);
        }
        FieldPath path = root == null || className == null ? null : FieldPath.find(root, className);
        String message = what + " cannot be serialised: " + problem + at(path == null ? "" : path.path());
        if (path != null && path.capturesThis()) {
            message += "; the lambda captured 'this', since it uses a member of it:"
                    + " copy what it needs to a local variable first";
        }
        return new TransferException(message, failure);
    }

    /** Rethrows the errors that are not the value's fault. */
    static TransferException ofReading(String what, String path, Throwable failure) {
        String problem;
        if (failure instanceof MalformedException) {
            problem = "malformed bytes: " + failure.getMessage();
        } else if (failure instanceof ClassNotFoundException) {
            problem = "class " + failure.getMessage() + " was not found: the class loader of who submitted the task has"
                    + " no class file of it, as of one that was generated at run time";
        } else {
            problem = problem(failure, culprit(failure, READING));
        }
        return new TransferException(what + " cannot be rebuilt: " + problem + at(path), failure);
    }

    /** A record need not be serialisable if we may look into it. */
    private static String remedyOfRecord(String className) {
        try {
            Class<?> type =
                    Class.forName(className, false, Thread.currentThread().getContextClassLoader());
            Module module = type.getModule();
            String own = Diagnosis.class.getPackageName();
            boolean isClosed = type.isRecord() && !module.isOpen(type.getPackageName(), Diagnosis.class.getModule());
            return isClosed
                    ? ", and its module does not let this library look into the record: write \"opens "
                            + type.getPackageName() + " to " + own + ";\" in the module-info of " + module.getName()
                            + ", or make it Serializable"
                    : "";
        } catch (ClassNotFoundException | LinkageError e) {
            return "";
        }
    }

    private static boolean isLambda(String className) {
        return className.contains("$$Lambda");
    }

    private static String at(String path) {
        return path.isEmpty() ? "" : "; at " + path;
    }

    private static String problem(Throwable failure, @Nullable StackTraceElement culprit) {
        if (failure instanceof VirtualMachineError error && !isOfTheValue(error)) {
            throw error;
        }
        String of = culprit == null ? "" : culprit.getMethodName() + " of " + culprit.getClassName() + " threw ";
        if (failure instanceof StackOverflowError) {
            return of + "StackOverflowError: nested too deeply";
        }
        boolean speaksForItself = culprit == null && failure instanceof ObjectStreamException;
        String message = speaksForItself ? message(failure) : null;
        return message != null ? message : of + text(failure);
    }

    /** The JDK's immutable maps throw an InternalError when their bytes are those of half a pair. */
    static boolean isOfTheValue(VirtualMachineError error) {
        return error instanceof StackOverflowError || error instanceof InternalError;
    }

    /** The frame of the class's own method that threw, or null if the machinery itself did. */
    private static @Nullable StackTraceElement culprit(Throwable failure, Set<String> methods) {
        for (StackTraceElement frame : failure.getStackTrace()) {
            if (methods.contains(frame.getMethodName()) && !frame.getClassName().startsWith("java.")) {
                return frame;
            }
        }
        return null;
    }

    /** Class and message, of a throwable whose methods may themselves throw. */
    static String text(Throwable throwable) {
        String message = message(throwable);
        String name = throwable.getClass().getName();
        return message == null ? name : name + ": " + message;
    }

    /** The message of a throwable whose methods may themselves throw. */
    static @Nullable String message(Throwable throwable) {
        try {
            return throwable.getMessage();
        } catch (Exception | LinkageError | StackOverflowError e) {
            return "(its getMessage threw " + e.getClass().getName() + ")";
        }
    }
}
