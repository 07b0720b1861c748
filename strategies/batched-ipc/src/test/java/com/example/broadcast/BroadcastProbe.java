package com.example.broadcast;

import io.stratagem.ExecutorStrategy;
import io.stratagem.Workload;
import io.stratagem.batchedipc.Broadcast;
import java.util.function.Function;

/** Broadcasts a value of a class that only its own loader has. */
public final class BroadcastProbe implements Function<ExecutorStrategy, String> {
    record Word(String text) {}

    @Override
    public String apply(ExecutorStrategy pool) {
        try (Broadcast<Word> word = Broadcast.of(new Word("hello"))) {
            Workload<Integer, String> workload = Workload.named("probe")
                    .isolated()
                    .compute(i -> {
                        Word there = word.value();
                        return there.text() + " by " + Word.class.getClassLoader();
                    });
            return pool.run(workload, 1).orElseThrow();
        }
    }
}
