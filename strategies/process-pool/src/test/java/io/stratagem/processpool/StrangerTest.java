package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.stratagem.Workload;
import io.stratagem.testkit.Patience;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pool whose workers are not the only ones that come to their sockets. */
final class StrangerTest extends WorkerFixture {
    private static final String NOTES = "STRANGER_NOTES";

    @TempDir
    Path home;

    private final LogRecorder log = new LogRecorder();

    @BeforeEach
    void record() {
        log.attach(ProcessPoolStrategy.class.getName());
    }

    @AfterEach
    void recordNoMore() {
        log.detach();
    }

    /** Stands in for {@code java}: molests the application, then starts the real one, and molests again. */
    static final class Stranger {
        private Stranger() {}

        public static void main(String[] command) throws Exception {
            byte[] token = new byte[LifeLine.TOKEN_CHARS];
            DataInputStream input = new DataInputStream(System.in);
            String directory = input.readUTF();
            input.readFully(token);
            Path socket = Path.of(directory, LifeLine.SOCKET);
            List<SocketChannel> open = new ArrayList<>();
            open.add(say(socket, new byte[0]));
            open.add(say(
                    socket, "garbage without an end, or any sense\n".repeat(10).getBytes(StandardCharsets.US_ASCII)));
            open.add(say(socket, hello("0".repeat(32))));
            open.add(say(socket, new byte[10]));

            List<String> real = new ArrayList<>(List.of(command));
            real.add(0, Path.of(System.getProperty("java.home"), "bin", "java").toString());
            Process worker = new ProcessBuilder(real)
                    .inheritIO()
                    .redirectInput(ProcessBuilder.Redirect.PIPE)
                    .start();
            forward(directory, token, worker);
            Patience.await().until(() -> !Files.exists(socket.getParent()));
            try (SocketChannel again = say(socket, hello(new String(token, StandardCharsets.US_ASCII)))) {
                note("got in again by " + again);
            } catch (IOException e) {
                note("stayed out");
            }
            for (SocketChannel each : open) {
                note("heard " + hear(each));
            }
            System.exit(worker.waitFor());
        }

        /** Passes on what the application says, and that it ends. */
        private static void forward(String directory, byte[] token, Process worker) {
            Thread thread = new Thread(() -> {
                try (DataOutputStream out = new DataOutputStream(worker.getOutputStream())) {
                    out.writeUTF(directory);
                    out.write(token);
                    out.flush();
                    System.in.transferTo(out);
                } catch (IOException e) {
                    worker.destroyForcibly();
                }
            });
            thread.setDaemon(true);
            thread.start();
        }

        private static SocketChannel say(Path socket, byte[] bytes) throws IOException {
            SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
            channel.write(ByteBuffer.wrap(bytes));
            return channel;
        }

        private static byte[] hello(String token) {
            Bytes frame = Link.frame(new Bytes(), Frames.HELLO);
            frame.putString(token);
            frame.setInt(0, frame.size() - Integer.BYTES);
            return frame.toByteArray();
        }

        private static String hear(SocketChannel channel) {
            try {
                return channel.read(ByteBuffer.allocate(1)) < 0 ? "nothing" : "something";
            } catch (IOException e) {
                return "nothing";
            }
        }

        private static void note(String line) throws IOException {
            Files.writeString(
                    Path.of(System.getenv(NOTES)), line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
    }

    private Path javaHome() throws IOException {
        Path java = Files.createDirectory(home.resolve("bin")).resolve("java");
        Files.writeString(
                java,
                "#!/bin/sh\nexec '%s' -XX:TieredStopAtLevel=1 -cp '%s' '%s' \"$@\"\n"
                        .formatted(
                                Path.of(System.getProperty("java.home"), "bin", "java"),
                                System.getProperty("java.class.path"),
                                Stranger.class.getName()));
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwx------"));
        return home;
    }

    @Test
    void start_amongStrangers_succeedsAndRefusesThem() throws Exception {
        Path notes = home.resolve("notes");
        Path javaHome = javaHome();
        WorkerProcessStrategy pool =
                pool(1, options -> options.javaHome(javaHome).environment(NOTES, notes.toString()));

        assertUsable(pool);

        Patience.await()
                .until(() -> Files.exists(notes) && Files.readAllLines(notes).size() == 5);
        assertThat(Files.readAllLines(notes))
                .containsExactly("stayed out", "heard nothing", "heard nothing", "heard nothing", "heard nothing");
        assertThat(log.messages(Level.WARN))
                .hasSize(4)
                .allSatisfy(message -> assertThat(message).contains("stratagem-faults-worker-1", "refused"));
    }

    @Test
    void token_isInNoEnvironmentAndNoCommandLine() {
        WorkerProcessStrategy pool = pool(1);
        Map<String, String> ours = System.getenv();

        Map<String, String> environment = pool.run(
                        Workload.blocking("environment", input -> Map.copyOf(System.getenv())), 0)
                .orElseThrow();
        List<String> commandLines = ProcessHandle.allProcesses()
                .map(process -> process.info().commandLine())
                .flatMap(Optional::stream)
                .filter(line -> line.contains(WorkerMain.class.getName()))
                .toList();

        assertThat(environment).isEqualTo(ours);
        assertThat(commandLines)
                .isNotEmpty()
                .noneMatch(line -> line.matches(".*\\b[0-9a-f]{" + LifeLine.TOKEN_CHARS + "}\\b.*"));
    }
}
