package io.stratagem.processpool;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.stratagem.TransferException;
import io.stratagem.WorkerDiedException;
import io.stratagem.processpool.spi.Wire;
import io.stratagem.processpool.spi.WireProvider;
import io.stratagem.spi.Clock;
import java.io.Closeable;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.ObjectInputFilter;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A worker process that has been started and has proved who it is. One thread uses it, except where it says otherwise. */
final class WorkerProcess {
    private static final Logger log = LoggerFactory.getLogger(ProcessPoolStrategy.class);

    private static final long DISMISSAL_NANOS = 2_000_000_000;
    private static final Pattern COLLECTOR = Pattern.compile("-XX:\\+Use\\w+GC");

    private volatile String name;
    private final Process process;
    private final WorkerOutput output;
    private final TaskPage page;
    private final Link link;

    private final HostSystem system;
    private final PrivateDirectory directory;
    private final LoaderTable loaders;
    private final WorkloadTable workloads = new WorkloadTable();
    private final ResourceServer resources;
    private final Wear wear;
    private final int maxFrame;

    /** Made for the first question. */
    private volatile @Nullable Desk desk;

    /** What answers are written under: from the driver, and from the desk. */
    private final Object lifeLineLock = new Object();

    WorkerProcess(Start start, TaskPage page, Link link) {
        this.loaders = new LoaderTable(start.origin.filter());
        this.resources = new ResourceServer(loaders, start.originals, start.settings.maxFrameBytes());
        this.maxFrame = start.settings.maxFrameBytes();
        this.name = start.name;
        this.process = start.process;
        this.wear = new Wear(start.settings, process.pid());
        this.output = start.output;
        this.page = page;
        this.link = link;
        this.system = start.settings.system();
        this.directory = start.directory;
    }

    /**
     * What all workers of a pool come from.
     *
     * @param loader the context class loader of who built the pool; or that of this library
     * @param filter of what workers send
     */
    record Origin(LaunchPath launchPath, ClassLoader loader, ObjectInputFilter filter) {
        /** What rebuilds exceptions that belong to no task. */
        ThrowableCodec failures() {
            return LoaderTable.Values.of(loader, filter).failures();
        }
    }

    // ---------------------------------------------------------------------------------------------- the start

    /**
     * Starts a process and waits until it is ready for tasks.
     *
     * @param meanwhile is run while its JVM comes up
     * @throws StartException if that fails, or takes longer than it may
     */
    static WorkerProcess start(PoolSettings settings, String name, Origin origin, Runnable meanwhile)
            throws StartException, InterruptedException {
        try {
            PrivateDirectory directory = PrivateDirectory.choose(settings.system());
            Process process = null;
            Wire wire = null;
            boolean isStarted = false;
            try {
                if (origin.launchPath().hasCopies()) {
                    directory.create(); // if this JVM is killed before there is a worker, it stays
                    origin.launchPath().copyTo(directory.path());
                }
                Map<String, String> originals = origin.launchPath().originals(directory.path());
                WireProvider wires = settings.wires();
                if (wires != null) {
                    wire = wires.create(settings.maxFrameBytes());
                }
                process = launch(settings, origin.launchPath(), directory.path(), wire);
                WorkerProcess worker =
                        new Start(settings, name, origin, originals, process, directory, wire).await(meanwhile);
                isStarted = true;
                return worker;
            } finally {
                if (!isStarted) {
                    if (process != null) {
                        end(process);
                    }
                    directory.closeAfterWorker();
                    close(wire);
                }
            }
        } catch (IOException | RuntimeException | Error e) { // of whatever kind: others would fare no better
            throw new StartException("worker " + name + " could not be started: " + e, e, false);
        }
    }

    private static void close(@Nullable Closeable end) {
        try (end) {
            // that is all
        } catch (IOException e) {
            // it is of no use any more
        }
    }

    private static Process launch(PoolSettings settings, LaunchPath launchPath, Path directory, @Nullable Wire wire)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(settings.system().java(settings.javaHome()).toString());
        // A small heap needs no parallel collector. Compiled counted loops get safepoints, so that a worker whose
        // application is gone can halt whatever it does.
        if (settings.jvmOptions().stream().noneMatch(COLLECTOR.asMatchPredicate())) { // there must be only one
            command.add("-XX:+UseSerialGC");
        }
        command.add("-XX:+UseCountedLoopSafepoints");
        command.add("-XX:LoopStripMiningIter=1000");
        command.add("-XX:-UsePerfData");
        command.add("-XX:+ExitOnOutOfMemoryError");
        command.add("-XX:-CreateCoredumpOnCrash");
        // What the JVM prints when it crashes names the signal and the frame; no file is left anywhere.
        command.add("-XX:ErrorFile=" + settings.system().nullDevice());
        if (settings.maxHeapBytes() != null) {
            command.add("-Xmx" + settings.maxHeapBytes());
        }
        command.add("-Dslf4j.internal.verbosity=WARN");
        command.add("-Dslf4j.provider=" + WorkerLogProvider.class.getName());
        command.add("-D" + WorkerLogProvider.LEVEL_PROPERTY + "=" + settings.logLevel());
        command.addAll(Inheritance.defaults());
        command.addAll(Inheritance.cpus(settings.cpusPerWorker()));
        command.addAll(settings.jvmOptions());
        command.addAll(launchPath.arguments(directory));
        command.add(Integer.toString(settings.maxFrameBytes()));
        command.add(Boolean.toString(launchPath.hasCopies()));
        if (wire != null) {
            command.add(Objects.requireNonNull(settings.wires()).getClass().getName());
            command.add(wire.place());
        }
        ProcessBuilder builder = new ProcessBuilder(command);
        Inheritance.removeOptions(builder.environment());
        builder.environment().putAll(settings.environment());
        Path workingDirectory = settings.workingDirectory();
        if (workingDirectory != null) {
            builder.directory(workingDirectory.toFile());
        }
        return builder.start();
    }

    /** A process that has been started and must still say hello. */
    static final class Start {
        private final PoolSettings settings;
        private final String name;
        private final Origin origin;
        private final Map<String, String> originals;
        private final Process process;
        private final PrivateDirectory directory;
        private final @Nullable Wire wire;
        private final WorkerOutput output;
        private final AtomicBoolean isLate = new AtomicBoolean();

        Start(
                PoolSettings settings,
                String name,
                Origin origin,
                Map<String, String> originals,
                Process process,
                PrivateDirectory directory,
                @Nullable Wire wire) {
            this.settings = settings;
            this.name = name;
            this.origin = origin;
            this.originals = originals;
            this.process = process;
            this.directory = directory;
            this.wire = wire;
            this.output = WorkerOutput.of(name, process);
        }

        /** All that is done here while the JVM starts costs no time. */
        WorkerProcess await(Runnable meanwhile) throws StartException, InterruptedException {
            long begin = System.nanoTime();
            boolean isReady = false;
            Link link = null;
            try (Entrance entrance = openEntrance()) {
                TaskPage page = createPage();
                // Whoever waits for the process is woken by its end.
                var unused = process.onExit().thenRun(entrance::close);
                process.getOutputStream().write(entrance.token().getBytes(US_ASCII));
                process.getOutputStream().flush();
                meanwhile.run();
                link = new Link(entrance.await(leftNanos(begin)), settings.maxFrameBytes(), wire);
                directory.closeEarly(); // before any code of the user's runs in the worker
                WorkerProcess worker = new WorkerProcess(this, page, link);
                if (settings.initializer() != null) {
                    initialize(worker, settings.initializer(), leftNanos(begin));
                }
                isReady = true;
                return worker;
            } catch (TransferException e) {
                throw new StartException("worker " + name + " could not be started: " + e.getMessage(), e, true);
            } catch (TimeoutException e) {
                throw failure(e, true);
            } catch (IOException | Bytes.MalformedException e) {
                throw failure(e, isLate.get());
            } finally {
                if (!isReady) {
                    close(link);
                }
            }
        }

        /** The worker hears of the directory before that is made, so that it is deleted whenever this JVM is killed. */
        private Entrance openEntrance() throws IOException, StartException {
            DataOutputStream toWorker = new DataOutputStream(process.getOutputStream());
            toWorker.writeUTF(directory.path().toString());
            toWorker.flush();
            try {
                directory.create();
                return Entrance.open(directory, name);
            } catch (IOException e) {
                throw ofPlace(e);
            }
        }

        private TaskPage createPage() throws StartException {
            try {
                return TaskPage.create(directory.page());
            } catch (IOException e) {
                throw ofPlace(e);
            }
        }

        /** Of what the application needs itself: the worker is not to blame. */
        private StartException ofPlace(IOException cause) {
            return new StartException(
                    "worker " + name + " of '" + settings.name()
                            + "' could not be started: the application cannot make "
                            + directory.path() + " and files in it (" + cause + "); if there is no room or permission,"
                            + " start it with another -Djava.io.tmpdir=…",
                    cause,
                    false);
        }

        private long leftNanos(long begin) {
            return TimeUnit.NANOSECONDS.convert(settings.startTimeout()) - (System.nanoTime() - begin);
        }

        /** Whatever the user's code does, the process ends when its time is over, and so does the connection. */
        private void initialize(WorkerProcess worker, Initializer initializer, long limitNanos)
                throws IOException, StartException {
            Clock.Timer timer = Clock.system()
                    .schedule(
                            () -> {
                                isLate.set(true);
                                end(process);
                            },
                            limitNanos);
            try {
                initialize(worker, initializer);
            } finally {
                timer.cancel();
            }
        }

        private void initialize(WorkerProcess worker, Initializer initializer) throws IOException, StartException {
            ClassLoader loader = LoaderTable.choose(origin.loader(), initializer.getClass());
            LoaderTable.Slot slot = worker.nameLoader(loader);
            LoaderTable.Values values = worker.loaders.valuesOf(slot);
            Bytes frame = Link.frame(new Bytes(), Frames.INITIALIZE);
            frame.putInt(slot.number());
            values.codec().write(frame, initializer, "initializer of '" + settings.name() + "'");
            Thread.interrupted(); // which it may have left behind; if that was the pool's end, it will be noticed
            worker.link.send(frame);
            while (true) {
                Bytes answer = worker.link.receive();
                if (answer == null) {
                    throw new IOException("it ended while it was initialized");
                }
                byte kind = answer.getByte();
                if (kind == Frames.LOG) {
                    RemoteLog.write(name, answer, values.failures());
                } else if (kind == Frames.QUESTION) {
                    worker.answer(answer);
                } else if (kind == Frames.ASK || kind == Frames.WITHDRAW) {
                    worker.ask(kind, answer);
                } else if (kind != Frames.READY) {
                    throw new Bytes.MalformedException("a frame of unknown kind");
                } else if (answer.getByte() != 0) {
                    Throwable cause = values.failures().read(answer, name);
                    throw new StartException(
                            "the initializer of '" + settings.name() + "' failed: " + cause, cause, true);
                } else {
                    return;
                }
            }
        }

        private StartException failure(Exception cause, boolean isLate) throws InterruptedException {
            if (isLate) {
                end(process);
            }
            boolean hasEnded = process.waitFor(200, TimeUnit.MILLISECONDS);
            end(process);
            process.waitFor();
            output.awaitEnd();
            String how;
            if (isLate) {
                how = "it was not ready within " + settings.startTimeout();
            } else if (hasEnded) {
                how = "it " + settings.system().describeExit(process.exitValue());
            } else {
                how = "it did not behave as a worker (" + cause + ")";
            }
            return new StartException(
                    "worker " + name + " of '" + settings.name() + "' could not be started: " + how
                            + lastLines(output.lastLines()),
                    cause,
                    false);
        }
    }

    /** A worker could not be started. */
    static final class StartException extends Exception {
        private static final long serialVersionUID = 1;
        private final boolean isFinal;

        StartException(String message, Throwable cause, boolean isFinal) {
            super(message, cause);
            this.isFinal = isFinal;
        }

        /** Whether another try would only do the same. */
        boolean isFinal() {
            return isFinal;
        }

        @Override
        @SuppressWarnings("OverrideThrowableToString") // it stands in texts for users, to whom the class says nothing
        public String toString() {
            return Objects.requireNonNull(getMessage());
        }
    }

    // ---------------------------------------------------------------------------------------------- life

    /** Any thread may ask. */
    String name() {
        return name;
    }

    /** A spare process gets the name of the worker that it becomes. */
    void rename(String newName) {
        name = newName;
        output.rename(newName);
    }

    long pid() {
        return process.pid();
    }

    Link link() {
        return link;
    }

    LoaderTable loaders() {
        return loaders;
    }

    WorkloadTable workloads() {
        return workloads;
    }

    Wear wear() {
        return wear;
    }

    /** The place of a class loader, which the worker is told if it is new. */
    LoaderTable.Slot nameLoader(ClassLoader loader) throws IOException {
        LoaderTable.Slot known = loaders.find(loader);
        if (known != null) {
            return known;
        }
        List<Integer> gone = loaders.dropGone();
        LoaderTable.Slot slot = loaders.add(loader);
        Bytes frame = Link.frame(new Bytes(), Frames.LOADER);
        frame.putInt(slot.number());
        frame.putByte(LaunchPath.isOfJvm(loader) ? 1 : 0);
        frame.putVarInt(gone.size());
        for (int number : gone) {
            frame.putVarInt(number);
        }
        link.send(frame);
        return slot;
    }

    /** Answers a question about a class or resource. The worker always reads, so this does not block for long. */
    void answer(Bytes question) {
        write(resources.answer(question));
    }

    /** Takes what it asks of what is hosted here, or that it wishes to wait no longer. */
    void ask(byte kind, Bytes frame) {
        Desk present = desk;
        if (present == null) {
            present = new Desk(this, this::write, maxFrame);
            desk = present;
        }
        if (kind == Frames.ASK) {
            present.ask(frame, loaders);
        } else {
            present.withdraw(frame);
        }
    }

    private boolean write(Bytes answer) {
        answer.endLength(0);
        synchronized (lifeLineLock) {
            try {
                OutputStream lifeLine = process.getOutputStream();
                lifeLine.write(answer.array(), 0, answer.size());
                lifeLine.flush();
                return true;
            } catch (IOException e) {
                log.debug("{} has ended, and gets no answer", this, e);
                return false;
            }
        }
    }

    /** Any thread may look. */
    TaskPage page() {
        return page;
    }

    /** Any thread may ask. */
    boolean isAlive() {
        return process.isAlive();
    }

    /** Runs the action when the process has ended, on a thread that must not be held up. */
    void onExit(Runnable action) {
        var unused = process.onExit().thenRun(action);
    }

    /** Waits for its end, but not long; false if it has not come. */
    boolean awaitExit(long limitMillis) throws InterruptedException {
        return process.waitFor(limitMillis, TimeUnit.MILLISECONDS);
    }

    /** Kills it with all its children. Any thread may do that; does not wait. */
    void kill() {
        end(process);
    }

    /** Not by the process itself, which would close what its last words are read from. */
    private static void end(Process process) {
        List<ProcessHandle> children = process.descendants().toList();
        process.toHandle().destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
    }

    /**
     * Asks it to end, and kills it if it does not in time.
     *
     * @param heard takes what it sends until then
     */
    void dismiss(Consumer<Bytes> heard) {
        Clock.Timer limit = Clock.system().schedule(this::kill, DISMISSAL_NANOS);
        try {
            link.send(Link.frame(new Bytes(), Frames.BYE));
            for (Bytes frame = link.receive(); frame != null; frame = link.receive()) {
                heard.accept(frame);
            }
            process.waitFor();
            output.awaitEnd();
        } catch (IOException | Bytes.MalformedException e) {
            kill();
            awaitDeath(); // who closes the pool is told when its processes are gone
        } catch (InterruptedException e) {
            kill();
            Thread.currentThread().interrupt();
            awaitDeath();
        } finally {
            limit.cancel();
            release();
        }
    }

    /** Waits for its end, which has come or is near. */
    Death awaitDeath() {
        boolean isInterrupted = false;
        while (true) {
            try {
                if (!process.waitFor(2, TimeUnit.SECONDS)) {
                    kill();
                    process.waitFor();
                }
                output.awaitEnd();
                break;
            } catch (InterruptedException e) {
                isInterrupted = true;
                kill();
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
        release();
        int code = process.exitValue();
        // What was printed may be of a process that a task has started.
        boolean isOutOfMemory = output.isOutOfMemory() && code == TaskRunner.OUT_OF_MEMORY_CODE;
        Optional<String> crash = output.crash().filter(cause -> isOfCrash(code, cause));
        int exitCode =
                crash.map(system::exitCodeOfCrash).orElse(OptionalInt.empty()).orElse(code);
        String how = isOutOfMemory
                ? "ran out of memory and ended itself (exit code " + exitCode + ")"
                : crash.map(cause -> "crashed with " + cause).orElseGet(() -> system.describeExit(exitCode));
        return new Death(name, pid(), exitCode, how, isOutOfMemory, output.lastLines());
    }

    /** A JVM that crashes and writes no core ends with code 1, which says nothing, or by the signal or another. */
    private boolean isOfCrash(int code, String cause) {
        OptionalInt fitting = system.exitCodeOfCrash(cause);
        return code == 1 || code == system.exitCodeOfCrash("SIGABRT").orElse(code) || code == fitting.orElse(code);
    }

    private void release() {
        Desk present = desk;
        if (present != null) {
            present.close();
        }
        try (link;
                directory) {
            process.getOutputStream().close();
        } catch (IOException e) {
            // it has no other end any more
        }
    }

    /** How a worker ended. */
    record Death(String worker, long pid, int exitCode, String how, boolean isOutOfMemory, List<String> lastLines) {
        String description() {
            return "worker " + worker + " (pid " + pid + ") " + how;
        }

        String printed() {
            return WorkerProcess.lastLines(lastLines);
        }

        WorkerDiedException toException(String message, boolean mayHaveFinished) {
            return new WorkerDiedException(message, worker, pid, exitCode, isOutOfMemory, mayHaveFinished);
        }
    }

    private static String lastLines(List<String> lines) {
        return lines.isEmpty() ? "" : "; it printed last:\n    " + String.join("\n    ", lines);
    }

    @Override
    public String toString() {
        return name + " (pid " + pid() + ")";
    }
}
