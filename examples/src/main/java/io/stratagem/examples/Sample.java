package io.stratagem.examples;

import com.google.common.base.Stopwatch;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;

/** Real input for the tour: some files, and what is in them. */
final class Sample {
    private static final int MOST_BYTES = 8_000_000;
    private static final int MOST_BYTES_OF_A_FILE = 1_000_000;

    static final Workload<Path, byte[]> READ = Workload.blocking("read", Sample::read);

    private final List<Path> files = new ArrayList<>();
    private final List<byte[]> contents = new ArrayList<>();
    private long bytes;

    private Sample() {}

    static Sample read(List<Path> candidates, Cli cli) throws Cli.Refused {
        Tour.introduce(READ, cli);
        Sample sample = new Sample();
        Stopwatch watch = Stopwatch.createStarted();
        try (ExecutorStrategy auto = Stratagem.auto();
                Stream<Result<byte[]>> all = Progress.of(auto.map(READ, candidates), "read", candidates.size())) {
            Iterator<Path> file = candidates.iterator(); // map gives one result for each input, in their order
            all.takeWhile(content -> sample.bytes < MOST_BYTES)
                    .forEachOrdered(content -> sample.add(file.next(), content, cli));
        }
        if (sample.bytes == 0) {
            throw Cli.refused("nothing in these files");
        }
        String which = sample.bytes < MOST_BYTES ? "  " : "  the first ";
        String size = Units.bytes(sample.bytes);
        cli.println(which + Units.count(sample.size(), "file") + ", " + size + ", in " + Units.time(watch.elapsed()));
        return sample;
    }

    int size() {
        return files.size();
    }

    List<Path> files() {
        return files;
    }

    List<byte[]> contents() {
        return contents;
    }

    private void add(Path file, Result<byte[]> result, Cli cli) {
        if (result instanceof Result.Failure<byte[]> failure) {
            cli.problem(file, failure.cause());
            return;
        }
        byte[] content = result.orElseThrow();
        files.add(file);
        contents.add(content);
        bytes += content.length;
    }

    private static byte[] read(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(MOST_BYTES_OF_A_FILE);
        }
    }
}
