package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.processpool.Bytes.MalformedException;
import io.stratagem.processpool.LoaderTable.Slot;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the application answers, however strange the question is. */
@Timeout(value = Patience.TEST_SECONDS, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class ResourceServerTest {
    private static final int MAX_FRAME = 1 << 16;

    @TempDir
    Path directory;

    private final LoaderTable loaders = new LoaderTable(info -> null);
    private URLClassLoader loader;
    private Slot slot;
    private ResourceServer server;

    @BeforeEach
    void makeServer() throws IOException {
        Path resources = Files.createDirectory(directory.resolve("resources"));
        Files.writeString(Files.createDirectory(resources.resolve("a")).resolve("b"), "inside");
        Files.writeString(directory.resolve("secret"), "outside");
        loader = new URLClassLoader(new URL[] {resources.toUri().toURL()}, null);
        slot = loaders.add(loader);
        server = new ResourceServer(
                loaders, Map.of("jar:file:/copy/0.jar!/", "jar:file:/app.jar!/lib.jar!/"), MAX_FRAME);
    }

    @AfterEach
    void closeLoader() throws IOException {
        loader.close();
    }

    private static Bytes question(int loader, String name, String... known) {
        Bytes question = new Bytes();
        question.putInt(7);
        question.putInt(loader);
        question.putByte(0);
        question.putString(name);
        question.putVarInt(known.length);
        Arrays.asList(known).forEach(question::putString);
        return question;
    }

    /** The number of entries, and the position is at the first. */
    private static int entries(Bytes answer) {
        assertThat(answer.getInt()).as("room for the length").isZero();
        assertThat(answer.getInt()).as("number of the question").isEqualTo(7);
        return answer.getVarInt();
    }

    @Test
    void resource_inAFile_isNamed() {
        Bytes answer = server.answer(question(slot.number(), "a/b"));

        assertThat(entries(answer)).isEqualTo(1);
        assertThat(answer.getByte()).isEqualTo(Frames.FILE);
        assertThat(answer.getString()).isEqualTo("file:" + directory + "/resources/a/b");
        assertThat(answer.remaining()).isZero();
    }

    @Test
    void resource_thatTheWorkerHasFoundItself_isConfirmed() {
        String url = loader.getResource("a/b").toString();

        Bytes answer = server.answer(question(slot.number(), "a/b", "file:/elsewhere/a/b", url));

        assertThat(entries(answer)).isEqualTo(1);
        assertThat(answer.getByte()).isEqualTo(Frames.KNOWN);
        assertThat(answer.getVarInt()).isEqualTo(1);
    }

    @Test
    void resource_inACopyThatTheWorkerHas_isConfirmed() throws IOException {
        URL nested = new URL(null, "jar:file:/app.jar!/lib.jar!/a/c", new URLStreamHandler() {
            @Override
            protected URLConnection openConnection(URL url) {
                throw new AssertionError("need not be read");
            }
        });
        ClassLoader nesting = new ClassLoader(null) {
            @Override
            protected URL findResource(String name) {
                return nested;
            }
        };

        Bytes answer = server.answer(question(loaders.add(nesting).number(), "a/c", "jar:file:/copy/0.jar!/a/c"));

        assertThat(entries(answer)).isEqualTo(1);
        assertThat(answer.getByte()).isEqualTo(Frames.KNOWN);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "/a/b", "../secret", "a/../../secret", "a/..", "..", "a\\..\\..\\secret", "a/b\0", "nothing"
            })
    void name_ofNoResource_findsNothing(String name) {
        assertThat(entries(server.answer(question(slot.number(), name)))).isZero();
    }

    @Test
    void name_thatIsAUrl_isNotFollowedByALoaderOfAnotherHost() throws IOException {
        URL base = new URL(null, "net://host/classes/", new URLStreamHandler() {
            @Override
            protected URLConnection openConnection(URL url) throws IOException {
                throw new IOException("no such host");
            }
        });
        String secret = directory.resolve("secret").toUri().toString();
        try (URLClassLoader remote = new URLClassLoader(new URL[] {base}, null)) {
            assertThat(remote.getResource(secret))
                    .as("what such a loader makes of it")
                    .isNotNull();

            assertThat(entries(server.answer(question(loaders.add(remote).number(), secret))))
                    .isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 2, Integer.MAX_VALUE, Integer.MIN_VALUE})
    void loader_thatWasNeverNamed_isMalformed(int number) {
        assertThatThrownBy(() -> server.answer(question(number, "a/b"))).isInstanceOf(MalformedException.class);
    }

    @Test
    void question_thatIsCutOff_isMalformed() {
        byte[] whole = question(slot.number(), "a/b", "file:/elsewhere").toByteArray();
        for (int length = 0; length < whole.length; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> server.answer(Bytes.of(part)))
                    .as("of %s bytes", length)
                    .isInstanceOf(MalformedException.class);
        }
    }

    @Test
    void question_ofRandomBytes_isAnsweredOrMalformed() {
        long seed = Long.getLong("stress.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = question(slot.number(), "a/b", "file:/elsewhere").toByteArray();
            for (int k = random.nextInt(4); k >= 0; k--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            try {
                assertThat(server.answer(Bytes.of(bytes)).size())
                        .as("seed %s", seed)
                        .isPositive();
            } catch (MalformedException e) {
                assertThat(e).hasMessageNotContaining("null");
            }
        }
    }

    @Test
    void loader_thatIsGone_findsNothing() {
        int number = loaders.add(new ClassLoader(null) {}).number();

        Patience.await().until(() -> {
            System.gc();
            return loaders.loader(number) == null;
        });

        assertThat(entries(server.answer(question(number, "a/b")))).isZero();
        assertThat(loaders.dropGone()).isEqualTo(List.of(number));
        assertThat(entries(server.answer(question(number, "a/b")))).isZero();
        assertThat(loaders.find(loader)).isSameAs(slot);
    }
}
