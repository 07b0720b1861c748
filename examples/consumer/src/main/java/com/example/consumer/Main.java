package com.example.consumer;

import io.stratagem.AutoStrategy;
import io.stratagem.Result;
import io.stratagem.Results;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** Squares three numbers on each strategy, and says on which path the library was found. */
public final class Main {
    private Main() {}

    /** Fails unless it runs on the path that the argument names, if there is one: "class path" or "module path". */
    public static void main(String[] args) {
        String path = Main.class.getModule().isNamed() ? "module path" : "class path";
        if (args.length > 0) {
            check(path.equals(args[0]), "on the " + path);
        }

        try (AutoStrategy auto = Stratagem.auto()) {
            square(Workload.compute("compute", n -> n * n), Stratagem.THREAD_POOL, auto, path);
            square(
                    Workload.async(
                            "async",
                            (n, loop) -> loop.delay(Duration.ofMillis(n)).thenApply(nothing -> n * n)),
                    Stratagem.EVENT_LOOP,
                    auto,
                    path);
            square(Workload.named("isolated").isolated().compute(n -> n * n), Stratagem.PROCESS_POOL, auto, path);
            square(
                    Workload.named("fine-grained").isolated().fineGrained().compute(n -> n * n),
                    Stratagem.BATCHED_IPC,
                    auto,
                    path);
        }
    }

    private static void square(Workload<Integer, Integer> square, String expected, AutoStrategy auto, String path) {
        String strategy = auto.choose(square).strategy(); // asks the modules that are present
        check(strategy.equals(expected), square.name() + " on the " + strategy);
        try (Stream<Result<Integer>> results = auto.map(square, List.of(1, 2, 3))) {
            List<Integer> squares = Results.failFast(results);
            check(squares.equals(List.of(1, 4, 9)), "squares of 1, 2, 3: " + squares);
            System.out.println(path + ", " + strategy + ": the squares of 1, 2, 3 are " + squares);
        }
    }

    private static void check(boolean condition, String found) {
        if (!condition) {
            throw new AssertionError(found);
        }
    }
}
