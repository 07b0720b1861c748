package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where a worker and the application meet: who can get there, and that nothing is left of it. */
final class PrivateDirectoryTest {
    @TempDir
    Path temporary;

    private PrivateDirectory create(HostSystem system) throws IOException {
        return PrivateDirectory.choose(system, temporary).create();
    }

    // ---------------------------------------------------------------------------------------------- access

    /** Prints the permissions of what is made when a worker starts. */
    static final class Permissions {
        private Permissions() {}

        public static void main(String[] arguments) throws IOException {
            try (PrivateDirectory directory =
                            PrivateDirectory.choose(HostSystem.present()).create();
                    Entrance entrance = Entrance.open(directory, "any")) {
                TaskPage.create(directory.page());
                for (Path each : List.of(directory.path(), directory.socket(), directory.page())) {
                    System.out.println(PosixFilePermissions.toString(Files.getPosixFilePermissions(each)));
                }
                Files.createFile(Path.of(arguments[0]));
                System.out.println(PosixFilePermissions.toString(Files.getPosixFilePermissions(Path.of(arguments[0]))));
                System.out.println(entrance.token().length());
            }
        }
    }

    @Test
    void permissions_withoutAnyMask_areTheOwnersOnly() throws Exception {
        List<String> printed = new JvmRun()
                .umask("000")
                .options("-Djava.io.tmpdir=" + temporary)
                .lines(
                        temporary,
                        Permissions.class,
                        temporary.resolve("other file").toString());

        assertThat(printed).containsExactly("rwx------", "rw-------", "rw-------", "rw-rw-rw-", "32");
        assertThat(WorkerFixture.list(temporary).map(file -> file.getFileName().toString()))
                .containsExactlyInAnyOrder("printed", "other file");
    }

    // ---------------------------------------------------------------------------------------------- the place

    @Test
    void create_whereTemporaryFilesAre_isThere() throws IOException {
        try (PrivateDirectory directory = create(HostSystem.LINUX)) {
            assertThat(directory.path()).isDirectory().hasParent(temporary);
            assertThat(directory.path().getFileName().toString())
                    .startsWith("stratagem-" + ProcessHandle.current().pid() + "-");
        }
    }

    @Test
    void create_whereThePathOfASocketWouldBeTooLong_isElsewhereAndUsable() throws Exception {
        Path deep = Files.createDirectories(temporary.resolve("d".repeat(60)).resolve("e".repeat(60)));
        try (PrivateDirectory directory =
                        PrivateDirectory.choose(HostSystem.LINUX, deep).create();
                Entrance entrance = Entrance.open(directory, "any")) {
            assertThat(directory.path()).hasParent(Path.of("/tmp"));
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.path())))
                    .isEqualTo("rwx------");
            assertThat(entrance.token()).isNotEmpty();
        }
        assertThat(deep).isEmptyDirectory();
    }

    @Test
    void create_withTheLongestPath_isUsable() throws Exception {
        // The random part of a name is shorter than it can be, or as long.
        String prefix = "/stratagem-" + ProcessHandle.current().pid() + "-12345678901234567890/s";
        Path longest = temporary.resolve("d".repeat(106 - temporary.toString().length() - 1 - prefix.length()));
        Files.createDirectory(longest);
        try (PrivateDirectory directory =
                        PrivateDirectory.choose(HostSystem.LINUX, longest).create();
                Entrance entrance = Entrance.open(directory, "any")) {
            assertThat(directory.path()).hasParent(longest);
            assertThat(entrance.token()).isNotEmpty();
        }
    }

    @Test
    void create_whereThereIsNoPlace_namesTheRemedy() {
        Path deep = temporary.resolve("d".repeat(100));

        assertThatThrownBy(
                        () -> PrivateDirectory.choose(HostSystem.WINDOWS, deep).create())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("-Djava.io.tmpdir")
                .hasMessageContaining("at most 106 bytes")
                .hasMessageContaining(deep.toString());
    }

    // ---------------------------------------------------------------------------------------------- the end

    @Test
    void closeEarly_whereOpenFilesCanBeDeleted_deletesIt() throws IOException {
        PrivateDirectory directory = create(HostSystem.MACOS);
        TaskPage.create(directory.page());

        directory.closeEarly();

        assertThat(directory.path()).doesNotExist();
    }

    @Test
    void closeEarly_whereOpenFilesCannotBeDeleted_leavesThatToClose() throws IOException {
        PrivateDirectory directory = create(HostSystem.WINDOWS);
        TaskPage.create(directory.page());

        directory.closeEarly();
        assertThat(directory.page()).exists();

        directory.close();
        assertThat(directory.path()).doesNotExist();
    }

    @Test
    void close_thatFails_isMadeUpForWhenTheNextIsCreated() throws IOException {
        PrivateDirectory directory = create(HostSystem.LINUX);
        Path obstacle = Files.createDirectories(directory.path().resolve("in/the way"));
        directory.close();
        assertThat(directory.path()).exists();
        Files.delete(obstacle);

        create(HostSystem.LINUX).close();

        assertThat(directory.path()).doesNotExist();
    }

    @Test
    void close_again_touchesNothing() throws IOException {
        PrivateDirectory directory = create(HostSystem.LINUX);
        directory.close();
        Path others = Files.createDirectory(temporary.resolve("others"));
        Path file = Files.createFile(others.resolve("s"));
        Files.createSymbolicLink(directory.path(), others); // by somebody who has seen the name

        directory.close();

        assertThat(file).exists();
    }

    @Test
    void closeAfterWorker_whereSomebodyHasPutALink_touchesNothing() throws IOException {
        PrivateDirectory directory = create(HostSystem.LINUX);
        PrivateDirectory.deleteLeft(directory.path());
        Path others = Files.createDirectory(temporary.resolve("others"));
        Path file = Files.createFile(others.resolve("s"));
        Files.createSymbolicLink(directory.path(), others);

        directory.closeAfterWorker();
        create(HostSystem.LINUX).close(); // tries again what could not be deleted

        assertThat(file).exists();
    }

    @Test
    void deleteLeft_ofAnApplicationThatIsGone_deletesIt() throws IOException {
        PrivateDirectory directory = create(HostSystem.LINUX);
        TaskPage.create(directory.page());

        PrivateDirectory.deleteLeft(directory.path());

        assertThat(directory.path()).doesNotExist();
        directory.close();
    }

    @Test
    void deleteLeft_whereSomebodyHasPutALink_touchesNothing() throws IOException {
        Path others = Files.createDirectory(temporary.resolve("others"));
        Path file = Files.createFile(others.resolve("s"));
        Path link = Files.createSymbolicLink(temporary.resolve("stratagem-1-1"), others);

        PrivateDirectory.deleteLeft(link);

        assertThat(file).exists();
        assertThat(link).exists();
    }
}
