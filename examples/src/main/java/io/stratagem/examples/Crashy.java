package io.stratagem.examples;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.WorkerDiedException;
import io.stratagem.Workload;
import io.stratagem.processpool.ProcessPoolStrategy;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.util.Iterator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A library that takes its JVM with it on some inputs, and a pool that goes on. */
public final class Crashy {
    private static final String HELP = """
            usage: examples/run crashy [--tasks N]

            Calls a library that writes to address 0 for every seventh of N inputs (21 by default), which ends the JVM
            that it runs in with SIGSEGV. Each call runs in a worker process, so that each of those inputs costs one
            worker and has one Failure, and the others have their results.

            exit code  0  every input has the result that it must have
                       1  some have not
                       2  bad arguments
            """;

    private static final int BAD_LUCK = 7;

    /** What one calls without knowing. */
    static final Workload<Integer, Integer> LIBRARY =
            Workload.named("library").isolated().compute(Crashy::callLibrary);

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("crashy", HELP, args, out, err, Crashy::callForAll);
    }

    private static void callForAll(Cli cli) throws Exception {
        int tasks = cli.number("--tasks", 21);
        cli.end();
        int crashes = 0;
        try (ExecutorStrategy processes =
                        ProcessPoolStrategy.builder().maxHeapBytes(64 << 20).build();
                Stream<Result<Integer>> results =
                        processes.map(LIBRARY, IntStream.rangeClosed(1, tasks).boxed())) {
            int input = 1;
            for (Iterator<Result<Integer>> each = results.iterator(); each.hasNext(); input++) {
                Result<Integer> result = each.next();
                crashes += hasCrashed(result) ? 1 : 0;
                cli.println(input + ": " + result.<String>fold(String::valueOf, Cli::inOneLine));
                if (!isRight(input, result)) {
                    cli.problem(new IllegalStateException("input " + input + " has the wrong result"));
                }
            }
        }
        cli.println(Units.count(tasks, "input") + ", " + Units.count(crashes) + (crashes == 1 ? " crash" : " crashes")
                + ", and this process is still here");
    }

    private static boolean hasCrashed(Result<Integer> result) {
        return result instanceof Result.Failure<Integer> failure && failure.cause() instanceof WorkerDiedException;
    }

    /** Whether the input has the result that it must have. */
    static boolean isRight(int input, Result<Integer> result) {
        return input % BAD_LUCK == 0 ? hasCrashed(result) : result.isSuccess() && result.orElseThrow() == input * input;
    }

    private static int callLibrary(int input) throws ReflectiveOperationException {
        if (input % BAD_LUCK == 0) {
            segfault();
        }
        return input * input;
    }

    /** Ends this JVM as a bug in native code does. */
    static void segfault() throws ReflectiveOperationException {
        Class<?> unsafe = Class.forName("sun.misc.Unsafe");
        Field theUnsafe = unsafe.getDeclaredField("theUnsafe");
        theUnsafe.setAccessible(true);
        unsafe.getMethod("putByte", long.class, byte.class).invoke(theUnsafe.get(null), 0L, (byte) 0);
    }
}
