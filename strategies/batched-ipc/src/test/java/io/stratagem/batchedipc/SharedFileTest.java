package io.stratagem.batchedipc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.stratagem.testkit.Patience;
import io.stratagem.testkit.RacingThreads;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A shared file is private, has its space, and is removed by whoever may. */
final class SharedFileTest {
    private static final long MEBIBYTE = 1 << 20;

    /** A directory on a disk of 1 MB; without it, and without the right to mount one, those tests are skipped. */
    private static final String SMALL_DISK = System.getProperty("testkit.small-disk");

    @TempDir
    Path first;

    @TempDir
    Path second;

    private static List<Path> filesIn(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.sorted().toList();
        }
    }

    // ---------------------------------------------------------------------------------------------- creation

    @Test
    void file_thatIsCreated_isPrivateAndZeroAndHasItsSpace() throws IOException {
        try (SharedFile file = SharedFile.create(List.of(first, second), 100_000)) {
            assertThat(file.path()).hasParent(first).exists();
            assertThat(file.path().getFileName().toString())
                    .startsWith("stratagem-" + ProcessHandle.current().pid() + "-");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.path())))
                    .isEqualTo("rw-------");
            assertThat(file.channel().size()).isEqualTo(100_000);
            assertThat(blocks(file.path()) * 512).isGreaterThanOrEqualTo(100_000);
            MappedByteBuffer memory = file.map();
            assertThat(memory.capacity()).isEqualTo(100_000);
            assertThat(memory.getLong(99_992)).isZero();
        }
        assertThat(filesIn(first)).isEmpty();
        assertThat(filesIn(second)).isEmpty();
    }

    private static long blocks(Path file) throws IOException {
        try {
            Process stat = new ProcessBuilder("stat", "-c", "%b", file.toString()).start();
            return Long.parseLong(new String(stat.getInputStream().readAllBytes(), UTF_8).strip());
        } catch (IOException e) {
            assumeTrue(false, "there is no stat");
            throw e;
        }
    }

    @Test
    void place_thatIsNotThere_isPassedOver() throws IOException {
        try (SharedFile file = SharedFile.create(List.of(first.resolve("missing"), second), 10)) {
            assertThat(file.path()).hasParent(second);
        }
    }

    @Test
    void space_thatNoPlaceHas_isAnErrorThatNamesAll() throws IOException {
        long bytes = Long.MAX_VALUE / 2;

        assertThatThrownBy(() -> SharedFile.create(List.of(first, second), bytes))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(
                        "" + bytes, first.toString(), second.toString(), "bytes free", "--shm-size", "java.io.tmpdir");
        assertThat(filesIn(first)).isEmpty();
        assertThat(filesIn(second)).isEmpty();
    }

    @Test
    void places_ofThisSystem_areWritable() throws IOException {
        List<Path> places = SharedFile.places();

        assertThat(places).isNotEmpty().endsWith(Path.of(System.getProperty("java.io.tmpdir")));
        assertThat(places.contains(Path.of("/dev/shm"))).isEqualTo(Files.isWritable(Path.of("/dev/shm")));
        try (SharedFile file = SharedFile.create(places, 4096)) {
            assertThat(file.path()).hasParent(places.get(0));
        }
    }

    @Test
    void unlink_whileMapped_leavesTheMemoryAndNoName() throws IOException {
        try (SharedFile file = SharedFile.create(List.of(first), 4096)) {
            MappedByteBuffer memory = file.map();
            try (FileChannel other = FileChannel.open(copyOfPath(file), StandardOpenOption.READ)) {
                file.unlink();
                memory.put(5, (byte) 7);

                assertThat(filesIn(first)).isEmpty();
                assertThat(other.map(FileChannel.MapMode.READ_ONLY, 0, 4096).get(5))
                        .isEqualTo((byte) 7);
            }
            file.unlink();
        }
    }

    private static Path copyOfPath(SharedFile file) {
        return Path.of(file.path().toString());
    }

    // ---------------------------------------------------------------------------------------------- a small disk

    /** A RAM disk of 1 MB, unmounted at the end. */
    private record SmallDisk(Path directory, boolean isOurs) implements AutoCloseable {
        static SmallDisk at(Path directory) throws IOException, InterruptedException {
            if (SMALL_DISK != null) {
                return new SmallDisk(Path.of(SMALL_DISK), false);
            }
            boolean isMounted;
            try {
                isMounted = run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory.toString()) == 0;
            } catch (IOException e) {
                isMounted = false; // no such program
            }
            assumeTrue(isMounted, "a RAM disk can be mounted, or -Dtestkit.small-disk names a directory on one");
            return new SmallDisk(directory, true);
        }

        private static int run(String... command) throws IOException, InterruptedException {
            Process process = new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            assertThat(process.waitFor(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS))
                    .isTrue();
            return process.exitValue();
        }

        @Override
        public void close() {
            if (isOurs) {
                try {
                    assertThat(run("umount", "-l", directory.toString())).isZero();
                } catch (IOException | InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
        }
    }

    @Test
    void smallDisk_withRoom_isTakenAndUsableToTheLastByte() throws Exception {
        try (SmallDisk disk = SmallDisk.at(first);
                SharedFile file = SharedFile.create(List.of(disk.directory(), second), MEBIBYTE - 8192)) {
            assertThat(file.path()).hasParent(disk.directory());
            MappedByteBuffer memory = file.map();
            for (int i = 0; i < memory.capacity(); i++) {
                memory.put(i, (byte) i);
            }
            assertThat(memory.get(memory.capacity() - 1)).isEqualTo((byte) (memory.capacity() - 1));
        }
    }

    @Test
    void smallDisk_withoutRoom_isPassedOver() throws Exception {
        try (SmallDisk disk = SmallDisk.at(first);
                SharedFile most = SharedFile.create(List.of(disk.directory()), MEBIBYTE / 2);
                SharedFile next = SharedFile.create(List.of(disk.directory(), second), MEBIBYTE * 3 / 4)) {
            assertThat(most.path()).hasParent(disk.directory());
            assertThat(next.path()).hasParent(second);
        }
    }

    @Test
    void smallDisk_thatIsFilledMeanwhile_isLeftAsItWas() throws Exception {
        try (SmallDisk disk = SmallDisk.at(first)) {
            // All of them see that there is room for one.
            RacingThreads.run(4, () -> {
                try (SharedFile file = SharedFile.create(List.of(disk.directory(), second), MEBIBYTE * 3 / 4)) {
                    MappedByteBuffer memory = file.map();
                    memory.put(memory.capacity() - 1, (byte) 1);
                }
            });
            assertThat(filesIn(disk.directory())).isEmpty();
            assertThat(filesIn(second)).isEmpty();
        }
    }

    @Test
    void smallDisks_allWithoutRoom_areNamedInTheError() throws Exception {
        try (SmallDisk disk = SmallDisk.at(first);
                SharedFile most = SharedFile.create(List.of(disk.directory()), MEBIBYTE / 2)) {
            assertThatThrownBy(() -> SharedFile.create(List.of(disk.directory()), MEBIBYTE * 3 / 4))
                    .isInstanceOf(IOException.class)
                    .hasMessageContainingAll("" + MEBIBYTE * 3 / 4, disk.directory() + " (" + MEBIBYTE / 2 + " bytes");
            assertThat(filesIn(disk.directory())).containsExactly(most.path());
        }
    }

    @Test
    void rings_onASmallDiskWithoutRoom_goToTheNextPlace() throws Exception {
        try (SmallDisk disk = SmallDisk.at(first);
                RingFile rings = RingFile.create(List.of(disk.directory(), second), 1 << 20, 100)) {
            assertThat(rings.path()).hasParent(second);
        }
    }

    // ---------------------------------------------------------------------------------------------- the sweep

    /** Another process, which has a file until it is killed. */
    static final class Holder {
        public static void main(String[] arguments) throws Exception {
            SharedFile file = SharedFile.create(List.of(Path.of(arguments[0])), 4096);
            System.out.println(file.path());
            Thread.currentThread().join();
        }
    }

    @Test
    void sweep_deletesWhatAKilledProcessLeft_andNothingOfALivingOne() throws Exception {
        try (JavaProcess living = JavaProcess.start(Holder.class, first.toString());
                JavaProcess killed = JavaProcess.start(Holder.class, first.toString());
                SharedFile own = SharedFile.create(List.of(first), 4096)) {
            Path ofLiving = Path.of(living.readLine());
            Path ofKilled = Path.of(killed.readLine());
            SharedFile.sweep(first);
            assertThat(filesIn(first)).containsExactlyInAnyOrder(ofLiving, ofKilled, own.path());

            killed.kill();
            SharedFile.sweep(first);
            assertThat(filesIn(first)).containsExactlyInAnyOrder(ofLiving, own.path());

            // That our lock has outlived our own sweep, only another process can tell.
            try (JavaProcess sweeper = JavaProcess.start(Sweeper.class, first.toString())) {
                assertThat(sweeper.readLine()).isEqualTo("swept");
            }
            assertThat(filesIn(first)).containsExactlyInAnyOrder(ofLiving, own.path());
        }
    }

    /** Another process, which sweeps. */
    static final class Sweeper {
        public static void main(String[] arguments) {
            SharedFile.sweep(Path.of(arguments[0]));
            System.out.println("swept");
        }
    }

    @Test
    void sweep_ofNamesThatAreNotOurs_leavesThem() throws IOException {
        List<String> names = List.of(
                "other",
                "stratagem-1-abc",
                "stratagem-1-abc-1",
                "stratagem-x-abc-1.shared",
                "stratagem-1-abc-1.shared~");
        for (String name : names) {
            Files.createFile(first.resolve(name));
        }
        Path link = Files.createSymbolicLink(first.resolve("stratagem-1-abc-2.shared"), first.resolve("other"));
        Path directory = Files.createDirectory(first.resolve("stratagem-1-abc-3.shared"));
        Path orphan = Files.createFile(first.resolve("stratagem-1-abc-1.shared"));

        SharedFile.sweep(first);

        assertThat(filesIn(first))
                .hasSize(names.size() + 2)
                .contains(link, directory)
                .doesNotContain(orphan);
    }

    @Test
    void sweep_ofAFileOfAnotherUser_leavesIt() throws IOException {
        Path file = Files.createFile(first.resolve("stratagem-1-abc-1.shared"));
        try {
            Files.setAttribute(file, "unix:uid", 4711);
        } catch (IOException | UnsupportedOperationException e) {
            assumeTrue(false, "only root can give files away");
        }

        SharedFile.sweep(first);

        assertThat(file).exists();
    }

    @Test
    void sweep_ofADirectoryThatIsNotThere_doesNothing() {
        SharedFile.sweep(first.resolve("missing"));

        assertThat(first.resolve("missing")).doesNotExist();
    }

    @Test
    void creation_amidSweeps_giveFilesThatStay() throws Exception {
        try (JavaProcess sweeper = JavaProcess.start(EagerSweeper.class, first.toString())) {
            assertThat(sweeper.readLine()).isEqualTo("sweeping");
            for (int i = 0; i < 200; i++) {
                try (SharedFile file = SharedFile.create(List.of(first), 64)) {
                    assertThat(file.path()).exists();
                }
            }
            assertThat(sweeper.isAlive()).isTrue();
        }
    }

    /** Another process, which sweeps all the time until its input ends. */
    static final class EagerSweeper {
        public static void main(String[] arguments) throws IOException {
            System.out.println("sweeping");
            while (System.in.available() == 0) {
                SharedFile.sweep(Path.of(arguments[0]));
            }
        }
    }
}
