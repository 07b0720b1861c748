package io.stratagem.processpool;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.AclEntry;
import java.nio.file.attribute.AclEntryFlag;
import java.nio.file.attribute.AclEntryPermission;
import java.nio.file.attribute.AclEntryType;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** What differs between operating systems, and nothing else does. */
/* The longest paths are what the JDK takes for a socket: two bytes less than the field of the system's structure. */
enum HostSystem {
    /** And what is none of the others. */
    LINUX(106, "bin/java", "/dev/null", true, Map.of(7, "SIGBUS", 31, "SIGSYS")),

    MACOS(102, "bin/java", "/dev/null", true, Map.of(7, "SIGEMT", 10, "SIGBUS", 12, "SIGSYS")),

    /** Where a process has no signals, and ends with the status of an exception that nobody handled. */
    WINDOWS(106, "bin/java.exe", "NUL", false, Map.of()) {
        @Override
        String describeExit(int exitCode) {
            String status = STATUSES.get(exitCode);
            return status == null ? exited(exitCode) : "crashed with " + status;
        }

        @Override
        OptionalInt exitCodeOfCrash(String crash) {
            return keyOf(STATUSES, crash);
        }
    };

    private static final String NATIVE_IMAGE = "org.graalvm.nativeimage.imagecode";
    private static final Path SHORT_TEMPORARY = Path.of("/tmp");
    private static final int SIGNALLED = 128;

    /** The same number everywhere but on Windows. */
    private static final Map<Integer, String> SIGNALS = Map.ofEntries(
            Map.entry(1, "SIGHUP"),
            Map.entry(2, "SIGINT"),
            Map.entry(3, "SIGQUIT"),
            Map.entry(4, "SIGILL"),
            Map.entry(5, "SIGTRAP"),
            Map.entry(6, "SIGABRT"),
            Map.entry(8, "SIGFPE"),
            Map.entry(9, "SIGKILL"),
            Map.entry(11, "SIGSEGV"),
            Map.entry(13, "SIGPIPE"),
            Map.entry(14, "SIGALRM"),
            Map.entry(15, "SIGTERM"),
            Map.entry(24, "SIGXCPU"),
            Map.entry(25, "SIGXFSZ"));

    private static final Map<Integer, String> STATUSES = Map.of(
            0xC0000005, "EXCEPTION_ACCESS_VIOLATION",
            0xC0000006, "EXCEPTION_IN_PAGE_ERROR",
            0xC000001D, "EXCEPTION_ILLEGAL_INSTRUCTION",
            0xC0000094, "EXCEPTION_INT_DIVIDE_BY_ZERO",
            0xC00000FD, "EXCEPTION_STACK_OVERFLOW",
            0xC000013A, "STATUS_CONTROL_C_EXIT",
            0xC0000374, "STATUS_HEAP_CORRUPTION",
            0xC0000409, "STATUS_STACK_BUFFER_OVERRUN");

    private final int longestSocketPath;
    private final String java;
    private final String nullDevice;
    private final boolean canDeleteOpenFiles;

    @SuppressWarnings("ImmutableEnumChecker") // of Map.of
    private final Map<Integer, String> ownSignals;

    HostSystem(
            int longestSocketPath,
            String java,
            String nullDevice,
            boolean canDeleteOpenFiles,
            Map<Integer, String> ownSignals) {
        this.longestSocketPath = longestSocketPath;
        this.java = java;
        this.nullDevice = nullDevice;
        this.canDeleteOpenFiles = canDeleteOpenFiles;
        this.ownSignals = ownSignals;
    }

    /** By its name, as {@code os.name} has it. */
    static HostSystem named(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        if (lower.startsWith("windows")) {
            return WINDOWS;
        }
        return lower.startsWith("mac") || lower.startsWith("darwin") ? MACOS : LINUX;
    }

    /** The one that this JVM runs on. */
    static HostSystem present() {
        return named(System.getProperty("os.name", ""));
    }

    // ---------------------------------------------------------------------------------------------- programs

    /** Where the runtime is that runs this code; null in a native image, which needs none and has none. */
    static @Nullable Path runtimeHome(Properties system) {
        String home = system.getProperty("java.home");
        return home == null || system.getProperty(NATIVE_IMAGE) != null ? null : Path.of(home);
    }

    /** The program that starts a JVM. */
    Path java(Path home) {
        return home.resolve(java);
    }

    String nullDevice() {
        return nullDevice;
    }

    // ---------------------------------------------------------------------------------------------- files

    /** Whether a file can be deleted while it is open or mapped. Else that must wait until no process has it. */
    boolean canDeleteOpenFiles() {
        return canDeleteOpenFiles;
    }

    /**
     * Where a directory can be made whose sockets have short enough paths: what is given, else {@code /tmp}.
     *
     * @param nameBytes how long the path of a socket in it is at most, from there on
     * @throws IOException if there is no such place
     */
    Path temporary(Path preferred, int nameBytes) throws IOException {
        if (fits(preferred, nameBytes)) {
            return preferred;
        }
        if (this != WINDOWS && fits(SHORT_TEMPORARY, nameBytes) && Files.isWritable(SHORT_TEMPORARY)) {
            return SHORT_TEMPORARY;
        }
        throw new IOException("the path of the directory for temporary files is too long, since that of a socket in it"
                + " may have at most " + longestSocketPath + " bytes: start the application with -Djava.io.tmpdir=…"
                + " and a path of at most " + (longestSocketPath - nameBytes) + " bytes in place of " + preferred);
    }

    private boolean fits(Path directory, int nameBytes) {
        return directory.toString().getBytes(UTF_8).length + nameBytes <= longestSocketPath;
    }

    /** Makes a new directory accessible to its owner alone, together with what will be in it. */
    static FileAttribute<?> forOwnerOnly(FileSystem files) throws IOException {
        return files.supportedFileAttributeViews().contains("posix")
                ? PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
                : accessList(
                        files.getUserPrincipalLookupService().lookupPrincipalByName(System.getProperty("user.name")));
    }

    /** For a system that knows no such permissions: a list with one entry, which files in the directory inherit. */
    static FileAttribute<List<AclEntry>> accessList(UserPrincipal owner) {
        AclEntry all = AclEntry.newBuilder()
                .setType(AclEntryType.ALLOW)
                .setPrincipal(owner)
                .setPermissions(EnumSet.allOf(AclEntryPermission.class))
                .setFlags(AclEntryFlag.FILE_INHERIT, AclEntryFlag.DIRECTORY_INHERIT)
                .build();
        return new FileAttribute<>() {
            @Override
            public String name() {
                return "acl:acl";
            }

            @Override
            public List<AclEntry> value() {
                return List.of(all);
            }
        };
    }

    /** Takes from all but the owner what a file got by default, where that is not inherited from the directory. */
    static void restrictToOwner(Path file) throws IOException {
        if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        }
    }

    // ---------------------------------------------------------------------------------------------- ends

    /** How a process ended: a verb and what goes with it. */
    String describeExit(int exitCode) {
        int signal = exitCode - SIGNALLED;
        String name = ownSignals.getOrDefault(signal, SIGNALS.get(signal));
        return name == null ? exited(exitCode) : "was killed by " + name;
    }

    private static String exited(int exitCode) {
        return "ended with exit code " + exitCode;
    }

    /**
     * What the exit code of a JVM would be that had left it to the system to report its crash: it ends itself with code
     * 1, which says nothing.
     *
     * @param crash the name of a signal or an exception; nothing comes of another
     */
    OptionalInt exitCodeOfCrash(String crash) {
        OptionalInt signal = keyOf(ownSignals, crash);
        signal = signal.isPresent() ? signal : keyOf(SIGNALS, crash);
        return signal.isPresent() ? OptionalInt.of(SIGNALLED + signal.getAsInt()) : signal;
    }

    private static OptionalInt keyOf(Map<Integer, String> names, String name) {
        return names.entrySet().stream()
                .filter(each -> each.getValue().equals(name))
                .mapToInt(Map.Entry::getKey)
                .findFirst();
    }
}
