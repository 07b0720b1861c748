package io.stratagem.examples;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The files below a directory. Links to files count as files, and so do links to nowhere, so that they are reported
 * when they cannot be read; links to directories, pipes, sockets and devices are left out.
 */
final class FileTree extends SimpleFileVisitor<Path> {
    private final Path root;
    private final Path realRoot;
    private final Predicate<Path> wantedDirectory;
    private final Cli cli;
    private final List<Path> files = new ArrayList<>();

    private FileTree(Path root, Predicate<Path> wantedDirectory, Cli cli) throws IOException {
        this.root = root;
        this.realRoot = root.toRealPath();
        this.wantedDirectory = wantedDirectory;
        this.cli = cli;
    }

    /** Every file, sorted. */
    static List<Path> below(Path root, Cli cli) throws IOException, Cli.Refused {
        return below(root, directory -> true, cli);
    }

    /** Every file, sorted, except below the directories that are not wanted. */
    static List<Path> below(Path root, Predicate<Path> wantedDirectory, Cli cli) throws IOException, Cli.Refused {
        Cli.requireDirectory(root);
        FileTree tree = new FileTree(root, wantedDirectory, cli);
        Files.walkFileTree(tree.realRoot, tree);
        if (tree.files.isEmpty()) {
            throw Cli.refused("no files in " + root);
        }
        tree.files.sort(null);
        return tree.files;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
        return directory.equals(realRoot) || wantedDirectory.test(directory)
                ? FileVisitResult.CONTINUE
                : FileVisitResult.SKIP_SUBTREE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
        if (attributes.isRegularFile() || (attributes.isSymbolicLink() && isFileOrNowhere(file))) {
            files.add(asGiven(file));
        }
        return FileVisitResult.CONTINUE;
    }

    private static boolean isFileOrNowhere(Path link) {
        return Files.isRegularFile(link) || !Files.exists(link);
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException cause) {
        cli.problem(asGiven(file), cause);
        return FileVisitResult.CONTINUE;
    }

    private Path asGiven(Path file) {
        return root.resolve(realRoot.relativize(file));
    }

    @Override
    public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException cause) {
        if (cause != null) {
            cli.problem(asGiven(directory), cause);
        }
        return FileVisitResult.CONTINUE;
    }
}
