package io.stratagem.processpool;

import java.io.ObjectInputFilter;
import java.io.ObjectInputFilter.FilterInfo;
import java.io.ObjectInputFilter.Status;
import java.lang.reflect.Proxy;
import java.security.Security;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What may come in. */
final class Filters {
    /** Values, and what values are made of; the packages without their subpackages. */
    private static final Set<String> JDK_PACKAGES = Set.of(
            "java.lang",
            "java.math",
            "java.time",
            "java.time.chrono",
            "java.util",
            "java.util.concurrent",
            "java.util.concurrent.atomic",
            "java.util.concurrent.locks",
            "java.util.regex");

    private static final Set<String> JDK_CLASSES = Set.of(
            "java.io.File",
            "java.lang.invoke.SerializedLambda", // names a class, which is asked for, too
            "java.net.Inet4Address",
            "java.net.Inet6Address",
            "java.net.InetAddress",
            "java.net.InetSocketAddress",
            "java.net.SocketAddress",
            "java.net.URI", // a URL asks name servers when it is put into a set
            "java.sql.Date",
            "java.sql.Time",
            "java.sql.Timestamp");

    /** Of this library, which rebuild themselves of nothing but a handle, and check that. */
    private static final Set<String> HANDLED = Set.of(
            "io.stratagem.batchedipc.Broadcast",
            "io.stratagem.batchedipc.SharedArray",
            "io.stratagem.batchedipc.SharedCounter");

    private Filters() {}

    /**
     * How much of a value may take Java serialisation.
     *
     * @param depth of objects within each other
     * @param references to objects
     * @param arrayLength of one array
     * @param streamBytes of one value
     */
    record Limits(long depth, long references, long arrayLength, long streamBytes) {
        static final Limits DEFAULT = new Limits(1_000, 100_000_000, Bytes.LARGEST, Bytes.LARGEST);

        boolean areExceeded(FilterInfo info) {
            return info.depth() > depth
                    || info.references() > references
                    || info.arrayLength() > arrayLength
                    || info.streamBytes() > streamBytes;
        }
    }

    /** Lets in what {@code jdk.serialFilter} does. */
    static ObjectInputFilter fromApplication() {
        return new FromApplication();
    }

    /** Whether it is for what the application sends. */
    static boolean isFromApplication(ObjectInputFilter filter) {
        return filter instanceof FromApplication;
    }

    /**
     * Lets in the JDK's value types, records, enums, exceptions, and the classes of the given packages, unless
     * {@code jdk.serialFilter} rejects them.
     *
     * @param allowedPackages each with its subpackages
     */
    static ObjectInputFilter fromWorker(Set<String> allowedPackages, Limits limits) {
        return new FromWorker(Set.copyOf(allowedPackages), limits);
    }

    /* Classes, not lambdas, and the JVM's filter asked for when there is something to check: all that would cost a JVM
     * that starts some milliseconds, and the first task may well need none of it.
     */

    /** To ask for a filter of the JVM makes the JDK look for a logger everywhere, so it is done only if there is one. */
    private static final class FromApplication implements ObjectInputFilter {
        private static final String PROPERTY = "jdk.serialFilter";

        private static final @Nullable ObjectInputFilter OF_JVM =
                System.getProperty(PROPERTY) != null || Security.getProperty(PROPERTY) != null
                        ? ObjectInputFilter.Config.getSerialFilter()
                        : null;

        @Override
        public Status checkInput(FilterInfo info) {
            return OF_JVM == null ? Status.UNDECIDED : OF_JVM.checkInput(info);
        }
    }

    private static final class FromWorker implements ObjectInputFilter {
        private final Set<String> packages;
        private final Limits limits;
        private volatile boolean isMerged;
        private volatile @Nullable ObjectInputFilter ofJvm;

        FromWorker(Set<String> packages, Limits limits) {
            this.packages = packages;
            this.limits = limits;
        }

        @Override
        public Status checkInput(FilterInfo info) {
            Status own = checkHere(info);
            if (own == Status.REJECTED) {
                return own;
            }
            ObjectInputFilter other = ofJvm();
            Status others = other == null ? Status.UNDECIDED : other.checkInput(info);
            return others == Status.UNDECIDED ? own : others;
        }

        private Status checkHere(FilterInfo info) {
            if (limits.areExceeded(info)) {
                return Status.REJECTED;
            }
            Class<?> type = info.serialClass();
            if (type == null) {
                return Status.UNDECIDED;
            }
            return isAllowed(type, packages) ? Status.ALLOWED : Status.REJECTED;
        }

        private @Nullable ObjectInputFilter ofJvm() {
            if (!isMerged) {
                ofJvm = ObjectInputFilter.Config.getSerialFilter();
                isMerged = true;
            }
            return ofJvm;
        }
    }

    private static boolean isAllowed(Class<?> type, Set<String> packages) {
        if (type.isArray()) {
            return isAllowed(type.getComponentType(), packages);
        }
        if (Proxy.isProxyClass(type)) {
            return Stream.of(type.getInterfaces()).allMatch(each -> isAllowed(each, packages));
        }
        return type.isPrimitive()
                || type.isRecord()
                || Enum.class.isAssignableFrom(type)
                || Throwable.class.isAssignableFrom(type)
                || JDK_PACKAGES.contains(type.getPackageName())
                || JDK_CLASSES.contains(type.getName())
                || HANDLED.contains(type.getName())
                || isIn(packages, type.getPackageName());
    }

    private static boolean isIn(Set<String> packages, String packageName) {
        String name = packageName;
        while (!packages.contains(name)) {
            int dot = name.lastIndexOf('.');
            if (dot < 0) {
                return false;
            }
            name = name.substring(0, dot);
        }
        return true;
    }
}
