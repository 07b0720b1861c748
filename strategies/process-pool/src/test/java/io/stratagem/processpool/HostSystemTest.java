package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.AclEntry;
import java.nio.file.attribute.AclEntryFlag;
import java.nio.file.attribute.AclEntryPermission;
import java.nio.file.attribute.AclEntryType;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What differs between systems, the others being forced upon this one. */
final class HostSystemTest extends WorkerFixture {
    @TempDir
    Path home;

    @ParameterizedTest
    @CsvSource({
        "Linux, LINUX",
        "Mac OS X, MACOS",
        "Darwin, MACOS",
        "Windows 11, WINDOWS",
        "Windows Server 2022, WINDOWS",
        "FreeBSD, LINUX",
        "'', LINUX"
    })
    void named_asTheJdkDoes_isFound(String name, HostSystem system) {
        assertThat(HostSystem.named(name)).isEqualTo(system);
    }

    @ParameterizedTest
    @CsvSource({
        "LINUX, 0, ended with exit code 0",
        "LINUX, 3, ended with exit code 3",
        "LINUX, 135, was killed by SIGBUS",
        "LINUX, 137, was killed by SIGKILL",
        "LINUX, 138, ended with exit code 138",
        "LINUX, 159, was killed by SIGSYS",
        "MACOS, 135, was killed by SIGEMT",
        "MACOS, 137, was killed by SIGKILL",
        "MACOS, 138, was killed by SIGBUS",
        "MACOS, 140, was killed by SIGSYS",
        "MACOS, 159, ended with exit code 159",
        "WINDOWS, 1, ended with exit code 1",
        "WINDOWS, 137, ended with exit code 137",
        "WINDOWS, -1073741819, crashed with EXCEPTION_ACCESS_VIOLATION",
        "WINDOWS, -1073741571, crashed with EXCEPTION_STACK_OVERFLOW",
    })
    void describeExit_ofACode_saysWhatItMeansThere(HostSystem system, int exitCode, String description) {
        assertThat(system.describeExit(exitCode)).isEqualTo(description);
    }

    @ParameterizedTest
    @CsvSource({
        "LINUX, SIGBUS, 135",
        "LINUX, SIGSEGV, 139",
        "MACOS, SIGBUS, 138",
        "MACOS, SIGSEGV, 139",
        "WINDOWS, EXCEPTION_ACCESS_VIOLATION, -1073741819",
    })
    void exitCodeOfCrash_byItsName_isWhatTheSystemWouldGive(HostSystem system, String crash, int exitCode) {
        assertThat(system.exitCodeOfCrash(crash)).hasValue(exitCode);
    }

    @ParameterizedTest
    @CsvSource({"LINUX, Internal Error", "WINDOWS, Internal Error", "WINDOWS, SIGSEGV"})
    void exitCodeOfCrash_ofWhatIsUnknown_isNone(HostSystem system, String crash) {
        assertThat(system.exitCodeOfCrash(crash)).isEmpty();
    }

    @Test
    void accessList_isForTheOwnerAlone() {
        UserPrincipal owner = () -> "owner";

        assertThat(HostSystem.accessList(owner).name()).isEqualTo("acl:acl");
        assertThat(HostSystem.accessList(owner).value())
                .containsExactly(AclEntry.newBuilder()
                        .setType(AclEntryType.ALLOW)
                        .setPrincipal(owner)
                        .setPermissions(AclEntryPermission.values())
                        .setFlags(AclEntryFlag.FILE_INHERIT, AclEntryFlag.DIRECTORY_INHERIT)
                        .build());
    }

    // ---------------------------------------------------------------------------------------------- pools

    private WorkerProcessStrategy pool(HostSystem system, Path javaHome) {
        return closedAfterTest(new ProcessPoolStrategy.Builder(system, javaHome)
                .name("faults")
                .workerProcesses(1)
                .maxHeapBytes(64 << 20)
                .build());
    }

    private static Path real() {
        return Path.of(System.getProperty("java.home"));
    }

    @Test
    void pool_asOnMacOs_runsTasks() {
        assertUsable(pool(HostSystem.MACOS, real()));
    }

    @Test
    void pool_asOnWindows_runsItsJavaAndKeepsTheDirectoryAsLongAsTheWorker() throws IOException {
        Path java = Files.createDirectory(home.resolve("bin")).resolve("java.exe");
        Files.writeString(java, "#!/bin/sh\nexec '" + HostSystem.LINUX.java(real()) + "' \"$@\"\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwx------"));
        WorkerProcessStrategy pool = pool(HostSystem.WINDOWS, home);
        Set<Path> others = directories();

        assertUsable(pool);

        List<Path> own =
                directories().stream().filter(each -> !others.contains(each)).toList();
        assertThat(own).isNotEmpty();
        pool.close();
        assertThat(own).noneMatch(Files::exists);
    }

    /** Where workers of this JVM find it. */
    private static Set<Path> directories() {
        String prefix = "stratagem-" + ProcessHandle.current().pid() + "-";
        return list(Path.of(System.getProperty("java.io.tmpdir")))
                .filter(each -> each.getFileName().toString().startsWith(prefix))
                .collect(Collectors.toSet());
    }

    @Test
    void javaHome_withoutTheProgramOfThatSystem_isRefused() {
        ProcessPoolStrategy.Builder builder = new ProcessPoolStrategy.Builder(HostSystem.WINDOWS, null);

        assertThatThrownBy(() -> builder.javaHome(real()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("bin/java");
    }

    // ---------------------------------------------------------------------------------------------- native images

    private static Properties properties(String name, String value) {
        Properties properties = new Properties();
        properties.putAll(System.getProperties());
        properties.setProperty(name, value);
        return properties;
    }

    @Test
    void runtimeHome_isThatOfThisJvm() {
        assertThat(HostSystem.runtimeHome(System.getProperties())).isEqualTo(real());
    }

    @Test
    void runtimeHome_inANativeImage_isNone() {
        assertThat(HostSystem.runtimeHome(properties("org.graalvm.nativeimage.imagecode", "runtime")))
                .isNull();
        assertThat(HostSystem.runtimeHome(new Properties())).isNull();
    }

    @Test
    void build_inANativeImage_asksForJavaHome() {
        ProcessPoolStrategy.Builder builder = new ProcessPoolStrategy.Builder(HostSystem.LINUX, null);

        assertThatThrownBy(builder::build)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("native image")
                .hasMessageContaining("javaHome");
    }

    @Test
    void build_inANativeImageWithJavaHome_runsTasks() {
        WorkerProcessStrategy pool = closedAfterTest(new ProcessPoolStrategy.Builder(HostSystem.LINUX, null)
                .javaHome(real())
                .name("faults")
                .workerProcesses(1)
                .maxHeapBytes(64 << 20)
                .build());

        assertUsable(pool);
    }
}
