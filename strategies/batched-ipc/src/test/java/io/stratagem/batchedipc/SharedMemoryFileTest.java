package io.stratagem.batchedipc;

import static io.stratagem.batchedipc.SharedMemoryFixture.namedFiles;
import static io.stratagem.batchedipc.SharedMemoryFixture.passed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.stratagem.batchedipc.SharedMemory.Means;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The files behind shared memory: where they are made, what is left of them, and what a handle may lead to. */
@Timeout(Patience.TEST_SECONDS)
final class SharedMemoryFileTest {
    /** Of a process that is no more, or of one in another container. */
    private static final String OTHER = "stratagem-1-abc-";

    private long descriptorsBefore;

    @TempDir
    private Path directory;

    @BeforeEach
    void countDescriptors() {
        descriptorsBefore = SharedMemoryFixture.descriptors();
    }

    @AfterEach
    void nothingIsLeftOpen() {
        Patience.await() // other threads open some, too
                .untilAsserted(
                        () -> assertThat(SharedMemoryFixture.descriptors()).isLessThanOrEqualTo(descriptorsBefore));
    }

    private static SharedArray longs(Passing passing, long length, Path... places) {
        return SharedMemoryFixture.array(
                new Means(List.of(places), passing, Mapping.PREFERRED), SharedArray.Type.LONG, length);
    }

    /** A sweep may delete a name before its file is locked. */
    @Test
    void name_thatIsSweptAtAnyMomentOfItsMaking_doesNoHarm() throws Exception {
        assumeTrue(Passing.PREFERRED == Passing.BY_DESCRIPTOR, "Linux");
        AtomicBoolean isOver = new AtomicBoolean();
        FutureTask<Void> sweeping = new FutureTask<>(() -> {
            while (!isOver.get()) {
                for (Path each : namedFiles(directory)) {
                    Files.deleteIfExists(each);
                }
            }
            return null;
        });
        new Thread(sweeping, "sweeper").start();
        try {
            for (int i = 0; i < 2_000; i++) {
                longs(Passing.BY_DESCRIPTOR, 10, directory).close();
            }
        } finally {
            isOver.set(true);
            Patience.get(sweeping);
        }
    }

    // ---------------------------------------------------------------------------------------------- places

    @Test
    void name_isGoneAtOnce_orWhenItsMakerCloses() throws IOException {
        try (SharedArray array = longs(Passing.BY_NAME, 100, directory)) {
            List<Path> files = namedFiles(directory);
            assertThat(files).hasSize(1);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(files.get(0))))
                    .isEqualTo("rw-------");
            array.setLong(99, 1);
        }
        assertThat(namedFiles(directory)).isEmpty();
        assumeTrue(Passing.PREFERRED == Passing.BY_DESCRIPTOR, "Linux");
        try (SharedArray array = longs(Passing.BY_DESCRIPTOR, 100, directory)) {
            assertThat(namedFiles(directory)).isEmpty();
            array.setLong(99, 1);
        }
    }

    @ParameterizedTest
    @EnumSource(Passing.class)
    void placeWithoutRoom_isPassedOver(Passing passing) throws Exception {
        try (RamDisk full = RamDisk.mount(directory.resolve("full"))) {
            Files.write(full.path().resolve("ballast"), new byte[300_000]);
            for (long length : List.of(1L << 20, 100_000L)) {
                try (SharedArray array = longs(passing, length, full.path(), directory);
                        SharedArray arrived = passed(array)) {
                    array.setLong(length - 1, 3);
                    assertThat(arrived.getLong(length - 1)).isEqualTo(3);
                    assertThat(namedFiles(full.path())).isEmpty();
                }
            }
            try (SharedArray small = longs(passing, 1000, full.path(), directory)) {
                small.setLong(999, 1);
                assertThat(namedFiles(directory)).isEmpty();
            }
        }
    }

    @Test
    void noPlaceWithRoom_isAnErrorThatSaysWhatToDo() throws Exception {
        try (RamDisk full = RamDisk.mount(directory.resolve("full"))) {
            Path missing = directory.resolve("missing");
            assertThatThrownBy(() -> longs(Passing.PREFERRED, 1 << 20, full.path(), missing))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("No room for a shared array of 1,048,576 longs (8,388,608 bytes)")
                    .hasMessageContaining(full.path() + " has ")
                    .hasMessageContaining(missing + " says ")
                    .hasMessageContaining("java.io.tmpdir");
            assertThat(namedFiles(full.path())).isEmpty();
        }
    }

    @Test
    void diskFullOfArraysThatWereForgotten_hasRoom() throws Exception {
        try (RamDisk full = RamDisk.mount(directory.resolve("full"))) {
            for (int i = 0; i < 20; i++) {
                longs(Passing.PREFERRED, 30_000, full.path()).setLong(29_999, i);
            }
        }
        Patience.await().untilAsserted(() -> {
            System.gc(); // those that were left
            assertThat(SharedMemoryFixture.descriptors()).isEqualTo(descriptorsBefore);
        });
    }

    @Test
    void diskThatFillsUpMeanwhile_isAnErrorAndFreedAgain() throws Exception {
        try (RamDisk disk = RamDisk.mount(directory.resolve("disk"))) {
            Path ballast = disk.path().resolve("ballast");
            assertThatThrownBy(() -> SharedArray.create(
                            new Means(List.of(disk.path()), Passing.PREFERRED, Mapping.PREFERRED),
                            SharedArray.Type.BYTE,
                            900_000,
                            (piece, at) -> {
                                try {
                                    Files.write(
                                            ballast,
                                            new byte[100_000],
                                            StandardOpenOption.CREATE,
                                            StandardOpenOption.APPEND);
                                } catch (IOException e) {
                                    throw new UncheckedIOException(e);
                                }
                            }))
                    .isInstanceOf(UncheckedIOException.class);
            Files.delete(ballast);
            try (SharedArray array = longs(Passing.PREFERRED, 100_000, disk.path())) {
                array.setLong(99_999, 1);
            }
        }
    }

    /** As where {@code /proc} hides the application. */
    @Test
    void rings_ofAProcessThatCannotBeSeen_sayWhatToDo() throws Exception {
        assumeTrue(Passing.PREFERRED == Passing.BY_DESCRIPTOR, "Linux");
        try (Rings rings = Rings.create(Means.preferred(), Ring.MIN_CAPACITY, 1000)) {
            String place = rings.place();
            String elsewhere =
                    place.replaceFirst("\\b" + ProcessHandle.current().pid() + "\\b", "999999999");
            assertThat(elsewhere).isNotEqualTo(place);
            rings.opened(); // else this process has it open

            assertThatThrownBy(() -> Rings.open(elsewhere, 1000))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("the process is gone")
                    .hasMessageContaining("without hidepid")
                    .hasMessageContaining("use a ProcessPoolStrategy");
        }
    }

    /** A RAM disk of 1 MiB. */
    private record RamDisk(Path path) implements AutoCloseable {
        static RamDisk mount(Path path) throws IOException {
            Files.createDirectory(path);
            assumeTrue(
                    run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path.toString()) == 0,
                    "mounting, which root may do");
            return new RamDisk(path);
        }

        @Override
        public void close() {
            // Lazily: before Java 22 closed arrays are still mapped.
            assertThat(run("umount", "-l", path.toString())).isZero();
        }

        private static int run(String... command) {
            try {
                return new ProcessBuilder(command)
                        .inheritIO()
                        .start()
                        .onExit()
                        .orTimeout(Patience.LIMIT.toMillis(), TimeUnit.MILLISECONDS)
                        .join()
                        .exitValue();
            } catch (IOException e) {
                return 127; // there is no such command
            }
        }
    }

    // ---------------------------------------------------------------------------------------------- sweep

    @Test
    void sweep_deletesWhatTheDeadLeft_andNothingElse() throws Exception {
        Path left = Files.createFile(directory.resolve(OTHER + "0".repeat(32) + ".shared"));
        Path inUse = Files.createFile(directory.resolve(OTHER + "1".repeat(32) + ".shared"));
        Path strange = Files.createFile(directory.resolve(OTHER + "x.shared"));
        Path link = Files.createSymbolicLink(directory.resolve(OTHER + "2".repeat(32) + ".shared"), strange);
        Path folder = Files.createDirectory(directory.resolve(OTHER + "3".repeat(32) + ".shared"));
        try (FileChannel channel = FileChannel.open(inUse, StandardOpenOption.WRITE);
                FileLock lock = channel.lock();
                SharedArray own = longs(Passing.BY_NAME, 10, directory)) {
            assertThat(lock.isValid()).isTrue();
            assertThat(left).doesNotExist();
            assertThat(List.of(inUse, strange, link, folder)).allMatch(Files::exists);
            SharedMemoryFile.sweep(directory, Files.getOwner(directory));
            assertThat(namedFiles(directory)).hasSize(5);
            assertThat(own.isClosed()).isFalse();
        }
        SharedMemoryFile.sweep(directory, Files.getOwner(directory));
        assertThat(inUse).doesNotExist();
        assertThat(List.of(strange, link, folder)).allMatch(Files::exists);
    }

    @Test
    void sweep_leavesTheFilesOfOtherUsers() throws Exception {
        Path left = Files.createFile(directory.resolve(OTHER + "0".repeat(32) + ".shared"));
        try {
            Files.setOwner(
                    left,
                    directory.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("nobody"));
        } catch (IOException e) {
            assumeTrue(false, "giving files away, which root may do");
        }
        SharedMemoryFile.sweep(directory, Files.getOwner(directory));
        assertThat(left).exists();
    }

    // ---------------------------------------------------------------------------------------------- forged handles

    private static SharedMemoryHandle handle(SharedArray array) throws Exception {
        var replace = SharedArray.class.getDeclaredMethod("writeReplace");
        replace.setAccessible(true);
        return (SharedMemoryHandle) replace.invoke(array);
    }

    /** The same handle, of an array that this process does not know by its id. */
    private static SharedMemoryHandle withLength(SharedMemoryHandle handle, long length) {
        return new SharedMemoryHandle(
                handle.process(),
                handle.descriptor(),
                handle.path(),
                handle.idHigh(),
                handle.idLow(),
                handle.type(),
                length,
                false,
                SharedMemoryHandle.NO_RECEIPT);
    }

    private static SharedMemoryHandle leadingTo(SharedMemoryHandle handle, long process, int descriptor, String path) {
        UUID id = UUID.randomUUID();
        return new SharedMemoryHandle(
                process,
                descriptor,
                path,
                id.getMostSignificantBits(),
                id.getLeastSignificantBits(),
                handle.type(),
                handle.length(),
                false,
                SharedMemoryHandle.NO_RECEIPT);
    }

    private static void refused(SharedMemoryHandle handle) {
        assertThatThrownBy(() -> passed(handle)).as("%s", handle).isInstanceOf(InvalidObjectException.class);
    }

    @ParameterizedTest
    @EnumSource(Passing.class)
    void forgedHandle_isRefused(Passing passing) throws Exception {
        try (SharedArray array = longs(passing, 1000, directory)) {
            SharedMemoryHandle good = handle(array);
            try (SharedArray arrived = (SharedArray) SharedMemoryFixture.read(SharedMemoryFixture.written(good))) {
                assertThat(arrived.length()).isEqualTo(1000);
            }
            refused(withLength(good, 1001));
            refused(withLength(good, 999));
            refused(leadingTo(good, good.process(), good.descriptor(), good.path()));
            refused(leadingTo(good, Long.MAX_VALUE, 3, ""));
            refused(leadingTo(good, good.process(), Integer.MAX_VALUE, ""));
            assertThatThrownBy(() -> withLength(good, -1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> withLength(good, Long.MAX_VALUE)).isInstanceOf(IllegalArgumentException.class);
            byte[] negative = SharedMemoryFixture.written(good);
            int at = indexOf(negative, 1000);
            negative[at] = -1;
            assertThatThrownBy(() -> SharedMemoryFixture.read(negative)).isInstanceOf(InvalidObjectException.class);
        }
    }

    private static int indexOf(byte[] bytes, long number) {
        for (int i = 0; i + Long.BYTES <= bytes.length; i++) {
            if (ByteBuffer.wrap(bytes, i, Long.BYTES).getLong() == number) {
                return i;
            }
        }
        throw new AssertionError("not in the stream");
    }

    @Test
    void handleToAnythingElse_isRefusedAndNotTouched() throws Exception {
        Path secret = Files.writeString(directory.resolve("secret"), "x".repeat(10_000));
        Path pipe = directory.resolve("pipe");
        assumeTrue(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0, "mkfifo");
        Path shaped = Files.write(directory.resolve(OTHER + "4".repeat(32) + ".shared"), new byte[100_000]);
        Path empty = Files.createFile(directory.resolve(OTHER + "5".repeat(32) + ".shared"));
        try (SharedArray array = longs(Passing.PREFERRED, 1000, directory);
                FileChannel channel = FileChannel.open(secret)) {
            assertThat(channel.isOpen()).isTrue();
            SharedMemoryHandle good = handle(array);
            for (Path each :
                    List.of(secret, pipe, shaped, empty, directory, Path.of("/dev/zero"), Path.of("/dev/tty"))) {
                refused(leadingTo(good, 0, -1, each.toString()));
            }
            refused(leadingTo(good, 0, -1, ""));
            refused(leadingTo(good, 0, -1, "\0"));
            long self = ProcessHandle.current().pid();
            for (int descriptor = 0; descriptor < 50; descriptor++) {
                refused(leadingTo(good, self, descriptor, ""));
            }
        }
    }

    @Test
    void fileThatWasCut_isRefused() throws Exception {
        try (SharedArray array = longs(Passing.BY_NAME, 1000, directory);
                ArrayProcess other = ArrayProcess.start()) {
            try (FileChannel channel = FileChannel.open(namedFiles(directory).get(0), StandardOpenOption.WRITE)) {
                channel.truncate(5000);
            }
            assertThat(other.open(array)).contains("InvalidObjectException").contains("has been cut to 5000 bytes");
        }
    }

    @Test
    void fileThatIsCutUnderneath_isAnErrorAndNoCrash() throws Exception {
        try (SharedArray array = longs(Passing.BY_NAME, 100_000, directory);
                ArrayProcess user = ArrayProcess.start();
                ArrayProcess other = ArrayProcess.start()) {
            assertThat(user.open(array)).isEqualTo("ok");
            assertThat(user.ask("sum")).isEqualTo("0");
            assertThat(other.ask("cut " + namedFiles(directory).get(0))).isEqualTo("ok");
            assertThat(user.ask("touch")).isEqualTo("3 times InternalError");
            assertThat(user.ask("close")).isEqualTo("ok");
        }
    }
}
