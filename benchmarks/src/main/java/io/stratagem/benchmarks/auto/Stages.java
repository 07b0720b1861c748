package io.stratagem.benchmarks.auto;

import io.stratagem.Result;
import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import io.stratagem.examples.Catalogue;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The work of the example {@code pipeline}: files are fetched, packed, parsed in a process, and registered. */
abstract class Stages implements Trial {
    private static final int LINES = 400;

    private Path directory;
    private int size;
    private Catalogue.Job job;
    private List<Result<Catalogue.Entry>> entries;

    @Override
    public void prepare(String metric, int newSize) throws IOException {
        size = newSize;
        directory = Files.createTempDirectory("stages");
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            StringBuilder source = new StringBuilder("package stages;\n");
            for (int line = 0; line < LINES; line++) {
                source.append("// ").append(i * LINES + line).append(" of a source, as text goes\n");
            }
            files.add(Files.writeString(directory.resolve("Source" + i + ".java"), source));
        }
        job = Catalogue.Job.start(files);
    }

    @Override
    public final void pass() {
        entries = run(job);
    }

    abstract List<Result<Catalogue.Entry>> run(Catalogue.Job work);

    @Override
    public void verify() throws WrongResultException {
        WrongResultException.check(
                "entries", size, entries.stream().filter(Result::isSuccess).count());
    }

    @Override
    public long operations() {
        return size;
    }

    @Override
    public void close() {
        job.close();
        try (var files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                Files.delete(file);
            }
            Files.delete(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Each file goes on as soon as it can. */
    static final class InAPipeline extends Stages {
        @Override
        List<Result<Catalogue.Entry>> run(Catalogue.Job work) {
            return work.pipeline();
        }
    }

    /** Each stage is done for all files before the next begins. */
    static final class OneAfterAnother extends Stages {
        @Override
        List<Result<Catalogue.Entry>> run(Catalogue.Job work) {
            return work.oneAfterAnother();
        }
    }
}
