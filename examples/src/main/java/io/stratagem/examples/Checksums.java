package io.stratagem.examples;

import com.google.common.hash.Hashing;
import com.google.common.io.MoreFiles;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Result;
import io.stratagem.Stratagem;
import io.stratagem.Workload;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;

/** The SHA-256 of every file in a directory, in the format of {@code sha256sum}. */
public final class Checksums {
    private static final String HELP = """
            usage: examples/run checksums DIR

            Prints the SHA-256 of every file below DIR, as sha256sum does (which can check it with -c).
            Links to directories are not followed.

            exit code  0  every file was read
                       1  DIR does not exist or has no files, or some could not be read; the others are printed
                       2  bad arguments
            """;

    static final Workload<Path, String> SHA256 = Workload.blocking("sha256", Checksums::sha256);

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    static int run(String[] args, PrintStream out, PrintStream err) {
        return Cli.run("checksums", HELP, args, out, err, Checksums::printAll);
    }

    private static void printAll(Cli cli) throws IOException, Cli.Refused {
        List<Path> files = FileTree.below(cli.lastPath("DIR"), cli);
        try (ExecutorStrategy auto = Stratagem.auto();
                Stream<Result<String>> sums = Progress.of(auto.map(SHA256, files), "sha256", files.size())) {
            Iterator<Path> file = files.iterator(); // map gives one result for each input, in their order
            sums.takeWhile(sum -> !cli.out().checkError()).forEachOrdered(sum -> print(sum, file.next(), cli));
        }
    }

    private static String sha256(Path file) throws IOException {
        return MoreFiles.asByteSource(file).hash(Hashing.sha256()).toString();
    }

    private static void print(Result<String> sum, Path file, Cli cli) {
        if (sum instanceof Result.Failure<String> failure) {
            cli.problem(file, failure.cause());
        } else {
            cli.println(line(sum.orElseThrow(), file.toString()));
        }
    }

    /** As sha256sum has it: a backslash in front says that the name has characters escaped. */
    private static String line(String sum, String file) {
        String escaped = file.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r");
        return (escaped.equals(file) ? "" : "\\") + sum + "  " + escaped;
    }
}
