package com.example.consumer;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Results;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import io.stratagem.processpool.ProcessPoolStrategy;
import io.stratagem.threadpool.ThreadPoolStrategy;
import java.util.List;
import java.util.stream.Stream;

/** Squares three numbers on threads and in a process, and says on which path the library was found. */
public final class Main {
    private Main() {}

    /** Fails unless it runs on the path that the only argument names: "class path" or "module path". */
    public static void main(String[] args) {
        String path = Main.class.getModule().isNamed() ? "module path" : "class path";
        check(path.equals(args[0]), "on the " + path);

        Workload<Integer, Integer> square = Workload.compute("square", n -> n * n);
        try (ExecutorStrategy threads =
                ThreadPoolStrategy.builder().computeThreads(2).build()) {
            squareOn(threads, square, path);
        }
        try (ExecutorStrategy processes =
                ProcessPoolStrategy.builder().workerProcesses(1).build()) {
            squareOn(processes, square, path);
        }
        System.out.println(Stratagem.choose(square).explain()); // asks the modules that are present
    }

    private static void squareOn(ExecutorStrategy strategy, Workload<Integer, Integer> square, String path) {
        try (Stream<Result<Integer>> results = strategy.map(square, List.of(1, 2, 3))) {
            List<Integer> squares = Results.failFast(results);
            check(squares.equals(List.of(1, 4, 9)), "squares of 1, 2, 3: " + squares);
            System.out.println(path + ", " + strategy.name() + ": the squares of 1, 2, 3 are " + squares);
        }
    }

    private static void check(boolean condition, String found) {
        if (!condition) {
            throw new AssertionError(found);
        }
    }
}
