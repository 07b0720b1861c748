package io.stratagem.processpool;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkState;

import io.stratagem.Stratagem;
import io.stratagem.processpool.spi.WireProvider;
import io.stratagem.spi.StrategyBuilder;
import io.stratagem.spi.StrategyOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;

/**
 * Options of strategies that run workloads in worker processes. Each may be set once. Not thread-safe.
 *
 * @param <B> the builder itself
 */
public abstract class ProcessPoolBuilder<B extends ProcessPoolBuilder<B>> extends StrategyBuilder<B> {
    private final HostSystem system;
    private int workerProcesses;
    private int cpusPerWorker;
    private @Nullable Path javaHome;
    private List<String> jvmOptions = List.of();
    private @Nullable Long maxHeapBytes;
    private final Map<String, String> environment = new HashMap<>();
    private @Nullable Path workingDirectory;
    private @Nullable Initializer initializer;
    private Duration startTimeout = Duration.ofSeconds(30);
    private Duration idleTimeout = Duration.ofSeconds(60);
    private long maxTasksPerProcess = Long.MAX_VALUE;
    private long maxResidentBytes = Long.MAX_VALUE;
    private int maxMessageBytes = 1 << 30;
    private final Set<String> allowedPackages = new HashSet<>();
    private Level logLevel = Level.INFO;

    /**
     * For workers on that system.
     *
     * @param ownHome where the runtime of this JVM is, or null if it has none
     */
    ProcessPoolBuilder(String name, HostSystem system, @Nullable Path ownHome) {
        super(name);
        this.system = system;
        this.javaHome = ownHome;
    }

    /**
     * For workers on this system.
     *
     * @param name of the strategy, unless it is given another
     */
    protected ProcessPoolBuilder(String name) {
        this(name, HostSystem.present(), HostSystem.runtimeHome(System.getProperties()));
    }

    /**
     * How many worker processes there are at most. By default {@link Stratagem#cpus()}.
     *
     * @param processes from 1
     * @return this
     * @throws IllegalArgumentException if it is not positive
     */
    public final B workerProcesses(int processes) {
        checkArgument(processes > 0, "workerProcesses must be positive: %s", processes);
        workerProcesses = once("workerProcesses", processes);
        return self();
    }

    /**
     * How many CPUs a task in a worker counts on, so that workers that use threads themselves do not get in each other's
     * way: what {@link Stratagem#cpus()} says there, and how many tasks the common pool runs at once, by which parallel
     * streams run. By default {@link Stratagem#cpus()} divided by the number of worker processes, at least 1. The worker's
     * JVM itself sees all CPUs.
     *
     * @param cpus from 1
     * @return this
     * @throws IllegalArgumentException if it is not positive
     */
    public final B cpusPerWorker(int cpus) {
        checkArgument(cpus > 0, "cpusPerWorker must be positive: %s", cpus);
        cpusPerWorker = once("cpusPerWorker", cpus);
        return self();
    }

    /**
     * The JDK or runtime whose {@code bin/java} the workers run. By default that of this JVM. A native image has none,
     * so there it must be set.
     *
     * @param home where it is installed
     * @return this
     * @throws IllegalArgumentException if there is no {@code bin/java}
     */
    public final B javaHome(Path home) {
        checkArgument(Files.isExecutable(system.java(home)), "javaHome has no bin/java: %s", home);
        javaHome = once("javaHome", home.toAbsolutePath()); // workers may have another working directory
        return self();
    }

    /**
     * Further options for the workers' JVMs, such as {@code --add-modules=jdk.incubator.vector}. They come after those
     * that the pool chooses: so {@code -Duser.timezone=UTC} gives workers a time zone of their own. One that chooses a
     * garbage collector, as {@code -XX:+UseZGC}, takes the place of the serial one.
     *
     * @param options each as one argument
     * @return this
     */
    public final B jvmOptions(String... options) {
        jvmOptions = once("jvmOptions", List.of(options));
        return self();
    }

    /**
     * The largest heap of a worker. By default what its JVM chooses, a quarter of the machine's memory.
     *
     * <p>While an input or a result travels, it takes some four times its size of the heap: the frame, a copy of that as
     * it grows, and the object.
     *
     * @param bytes from 8 MiB; a worker takes some 3 MiB of it for itself
     * @return this
     * @throws IllegalArgumentException if it is less
     */
    public final B maxHeapBytes(long bytes) {
        checkArgument(bytes >= 8 << 20, "maxHeapBytes must be 8 MiB or more: %s", bytes);
        maxHeapBytes = once("maxHeapBytes", bytes);
        return self();
    }

    /**
     * Sets an environment variable for the workers, in addition to those of this process without the ones from which
     * JVMs take options: {@code JAVA_TOOL_OPTIONS}, {@code JDK_JAVA_OPTIONS} and {@code _JAVA_OPTIONS} among them.
     *
     * @param name its name
     * @param value its value
     * @return this
     */
    public final B environment(String name, String value) {
        environment.put(once("environment variable " + name, name), Objects.requireNonNull(value, "value"));
        return self();
    }

    /**
     * The workers' working directory. By default that of this process.
     *
     * @param directory an existing directory
     * @return this
     * @throws IllegalArgumentException if it is none
     */
    public final B workingDirectory(Path directory) {
        checkArgument(Files.isDirectory(directory), "workingDirectory is no directory: %s", directory);
        workingDirectory = once("workingDirectory", directory);
        return self();
    }

    /**
     * What each worker does before its first task.
     *
     * @param action travels to the workers; if it fails, so do the tasks that wait for a worker
     * @return this
     */
    public final B initializer(Initializer action) {
        initializer = once("initializer", Objects.requireNonNull(action, "initializer"));
        return self();
    }

    /**
     * How long a worker may take until it is ready for its first task. 30 seconds by default.
     *
     * @param limit positive
     * @return this
     * @throws IllegalArgumentException if it is not positive
     */
    public final B startTimeout(Duration limit) {
        checkArgument(limit.compareTo(Duration.ZERO) > 0, "startTimeout must be positive: %s", limit);
        startTimeout = once("startTimeout", limit);
        return self();
    }

    /**
     * How long a worker may be idle before it ends. A minute by default.
     *
     * @param limit positive
     * @return this
     * @throws IllegalArgumentException if it is not positive
     */
    public final B idleTimeout(Duration limit) {
        checkArgument(limit.compareTo(Duration.ZERO) > 0, "idleTimeout must be positive: %s", limit);
        idleTimeout = once("idleTimeout", limit);
        return self();
    }

    /**
     * After how many tasks a worker process is replaced by another, for work that leaks. Never by default. What was
     * sent together is run together, so it may be some more.
     *
     * @param tasks from 1
     * @return this
     * @throws IllegalArgumentException if it is not positive
     */
    public final B maxTasksPerProcess(long tasks) {
        checkArgument(tasks > 0, "maxTasksPerProcess must be positive: %s", tasks);
        maxTasksPerProcess = once("maxTasksPerProcess", tasks);
        return self();
    }

    /**
     * How much memory a worker process may have until it is replaced by another, once it has no task: for work that
     * leaks, be it in the heap or beside it. Never by default. It counts what is resident, which is a little more
     * than the heap, the JVM being some 50 MB without it; and a heap that may grow does so before it is collected,
     * so set {@link #maxHeapBytes}, too. Looked at some ten times a second; not on systems without {@code /proc}.
     *
     * @param bytes from 64 MiB
     * @return this
     * @throws IllegalArgumentException if it is less
     */
    public final B maxResidentBytes(long bytes) {
        checkArgument(bytes >= 64 << 20, "maxResidentBytes must be 64 MiB or more: %s", bytes);
        maxResidentBytes = once("maxResidentBytes", bytes);
        return self();
    }

    /**
     * How large one input or result may be when it is serialised. 1 GiB by default.
     *
     * @param bytes from 1 KiB to 2 GiB less 2 MiB
     * @return this
     * @throws IllegalArgumentException if it is out of that range
     */
    public final B maxMessageBytes(int bytes) {
        int most = Integer.MAX_VALUE - (2 << 20);
        checkArgument(bytes >= 1024 && bytes <= most, "maxMessageBytes must be from 1024 to %s: %s", most, bytes);
        maxMessageBytes = once("maxMessageBytes", bytes);
        return self();
    }

    /**
     * Allows results to have objects of the classes of a package and of those below it. Without that a worker may
     * send what is well-known only: values of the JDK, and records, enums and exceptions of any package, as far as
     * what they are made of is allowed, too. A result with an object of another class fails its task with
     * {@link io.stratagem.TransferException}, before that class is initialised. What {@code jdk.serialFilter} rejects
     * is never let in. Inputs and functions are not restricted.
     *
     * @param name the package's name
     * @return this
     */
    public final B allowPackage(String name) {
        allowedPackages.add(once("package " + name, name));
        return self();
    }

    /**
     * From which level on workers send what they log through SLF4J. {@link Level#INFO} by default.
     *
     * @param level the least level
     * @return this
     */
    public final B logLevel(Level level) {
        logLevel = once("logLevel", Objects.requireNonNull(level, "logLevel"));
        return self();
    }

    /**
     * Makes the strategy. Its processes start when first needed.
     *
     * @return a new strategy, to be closed
     * @throws IllegalStateException if this is a native image and {@code javaHome} was not set; or if workers could
     *     not be given this library, where its jars are no files; the message says what to do
     */
    public abstract WorkerProcessStrategy build();

    /** What the workers are like; in a native image, only if it is known where there is a Java runtime. */
    final PoolSettings settings(StrategyOptions options, @Nullable WireProvider wires) {
        Path home = javaHome;
        checkState(
                home != null,
                "a native image has no Java runtime to start workers with: set javaHome to one, as in javaHome(%s)",
                "Path.of(\"/usr/lib/jvm/java-17\")");
        int processes = workerProcesses > 0 ? workerProcesses : Stratagem.cpus();
        return new PoolSettings(
                system,
                options.name(),
                processes,
                cpusPerWorker > 0 ? cpusPerWorker : Math.max(1, Stratagem.cpus() / processes),
                home,
                jvmOptions,
                maxHeapBytes,
                Map.copyOf(environment),
                workingDirectory,
                initializer,
                startTimeout,
                idleTimeout,
                maxTasksPerProcess,
                maxResidentBytes,
                maxMessageBytes,
                Set.copyOf(allowedPackages),
                logLevel,
                wires);
    }

    /** What all strategies have in common, as it was set. */
    final StrategyOptions commonOptions() {
        return options();
    }
}
