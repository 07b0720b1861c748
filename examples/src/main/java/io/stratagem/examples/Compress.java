package io.stratagem.examples;

import com.google.common.io.ByteSource;
import com.google.common.io.MoreFiles;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;

/** Compresses every file in a directory with gzip and xz, checks that it decompresses to the same, and compares. */
public final class Compress {
    private static final String HELP = """
            usage: examples/run compress [--keep] DIR

            Compresses every file below DIR, with gzip and with xz, into a temporary directory, verifies each by
            decompressing it, and prints how much smaller the files became, by type.

              --keep   leave the compressed files, and say where

            exit code  0  every file was compressed and verified
                       1  DIR does not exist or has no files, or some could not be done; the others were
                       2  bad arguments
            """;

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("compress", HELP, args, out, err, Compress::compressAll);
    }

    private static void compressAll(Cli cli) throws IOException, Cli.Refused {
        boolean keep = cli.flag("--keep");
        Path root = cli.lastPath("DIR");
        List<Path> files = FileTree.below(root, cli);
        RatioTable table = new RatioTable();

        try (TemporaryDirectory temporary = TemporaryDirectory.create("stratagem-compress-")) {
            Workload<Path, Sizes> compress =
                    Workload.compute("compress", file -> compress(file, temporary.place(root.relativize(file))));

            try (ExecutorStrategy auto = Stratagem.auto();
                    Stream<Result<Sizes>> all = Progress.of(auto.map(compress, files), "compress", files.size())) {
                Iterator<Path> file = files.iterator(); // map gives one result for each input, in their order
                all.forEachOrdered(result -> add(result, file.next(), table, cli));
            }
            table.print(cli.out());
            if (keep) {
                temporary.keep();
                cli.println("The compressed files are in " + temporary.path());
            }
        }
    }

    private static void add(Result<Sizes> result, Path file, RatioTable table, Cli cli) {
        if (result instanceof Result.Failure<Sizes> failure) {
            cli.problem(file, failure.cause());
        } else {
            table.add(file, result.orElseThrow());
        }
    }

    private static Sizes compress(Path file, Path target) throws IOException {
        return new Sizes(Files.size(file), compress(file, target, Codec.GZIP), compress(file, target, Codec.XZ));
    }

    private static long compress(Path file, Path target, Codec codec) throws IOException {
        ByteSource original = MoreFiles.asByteSource(file);
        Path compressed = target.resolveSibling(target.getFileName() + codec.suffix());
        try (OutputStream sink = codec.compress(Files.newOutputStream(compressed), original.size())) {
            original.copyTo(sink);
        }
        if (!original.contentEquals(decompressed(compressed, codec))) {
            throw new IOException("differs after " + codec + " and back");
        }
        return Files.size(compressed);
    }

    private static ByteSource decompressed(Path file, Codec codec) {
        return new ByteSource() {
            @Override
            public InputStream openStream() throws IOException {
                return codec.decompress(Files.newInputStream(file));
            }
        };
    }

    /** What a file, or several, took in bytes. */
    record Sizes(long plain, long gzip, long xz) {
        Sizes plus(Sizes other) {
            return new Sizes(plain + other.plain, gzip + other.gzip, xz + other.xz);
        }
    }
}
