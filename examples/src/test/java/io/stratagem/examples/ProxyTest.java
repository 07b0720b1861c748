package io.stratagem.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The example as a process of its own, with {@code curl} before it and the JDK's servers behind it. */
@Timeout(120)
final class ProxyTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final Pattern STARTED = Pattern.compile("relaying from .*:(\\d+) to localhost:\\d+; Ctrl-C ends it");
    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir
    Path directory;

    private final List<Process> processes = new ArrayList<>();

    @AfterEach
    void end() throws InterruptedException {
        for (Process process : processes) {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void curl_overHttp() throws Exception {
        HttpServer server = HttpServer.create(ANY_PORT, 0);
        getsAndPosts("http", server, List.of());
    }

    @Test
    void curl_overHttps() throws Exception {
        Path store = directory.resolve("store.p12");
        Path certificate = directory.resolve("certificate.pem");
        makeKey(store, certificate);
        HttpsServer server = HttpsServer.create(ANY_PORT, 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context(store)));
        getsAndPosts("https", server, List.of("--cacert", certificate.toString()));
    }

    /** A page of 1 MB comes, and 1 MB that is sent comes back, through the relay and under the name of the server. */
    private void getsAndPosts(String scheme, HttpServer server, List<String> more) throws Exception {
        assumeTrue(hasCurl(), "curl is not installed");
        byte[] page = new byte[1_000_000];
        new Random(1).nextBytes(page);
        server.createContext("/page", exchange -> {
            exchange.sendResponseHeaders(200, page.length);
            exchange.getResponseBody().write(page);
            exchange.close();
        });
        server.createContext("/echo", exchange -> {
            byte[] body = exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        try {
            Process proxy = proxy(server.getAddress().getPort());
            BufferedReader output = proxy.inputReader(UTF_8);
            String url = scheme + "://localhost:" + port(output);
            Path sent = Files.write(directory.resolve("sent"), page);
            Path received = directory.resolve("received");

            curl(more, url + "/page", "-o", received.toString());
            assertThat(received).hasBinaryContent(page);
            Files.delete(received);
            curl(more, url + "/echo", "-o", received.toString(), "--data-binary", "@" + sent);
            assertThat(received).hasBinaryContent(page);

            proxy.toHandle().destroy();
            List<String> lines = output.lines().toList();
            assertThat(lines).hasSize(4);
            assertThat(lines.get(3)).matches("2 connections, 0 failed, 1\\.0 MB there, 2\\.0 MB back");
        } finally {
            server.stop(0);
        }
    }

    /** What is open when Ctrl-C is pressed may end by itself. */
    @Test
    void ended_waitsForWhatIsOpen_andCounts() throws Exception {
        try (ServerSocket target = new ServerSocket(0, 50, InetAddress.getByName("localhost"))) {
            Process proxy = proxy(target.getLocalPort());
            BufferedReader output = proxy.inputReader(UTF_8);
            int port = port(output);
            try (Socket client = new Socket("localhost", port);
                    Socket peer = target.accept()) {
                client.getOutputStream().write("before".getBytes(UTF_8));
                assertThat(peer.getInputStream().readNBytes(6)).asString(UTF_8).isEqualTo("before");

                proxy.toHandle().destroy(); // as Ctrl-C does; Process.destroy would close its output
                assertThat(output.readLine()).isEqualTo("ends, and waits for 1 connection");
                peer.getOutputStream().write("after".getBytes(UTF_8));
                peer.shutdownOutput();
                assertThat(client.getInputStream().readAllBytes())
                        .asString(UTF_8)
                        .isEqualTo("after");
                client.shutdownOutput();
            }
            assertThat(output.lines().toList())
                    .hasSize(2)
                    .last()
                    .isEqualTo("1 connection, 0 failed, 6 B there, 5 B back");
            assertThat(proxy.waitFor()).isEqualTo(128 + 15);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "80", "x h:80", "80 h", "80 :80", "80 h:0", "80 h:x", "70000 h:80", "80 h:80 more"})
    void badArguments_areRefused(String line) {
        Outcome outcome = Outcome.of(Proxy::run, (Object[]) (line.isEmpty() ? new String[0] : line.split(" ")));

        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
        assertThat(outcome.err()).startsWith("proxy: ").contains("Try: examples/run proxy --help");
    }

    @Test
    void portInUse_isSaid() throws IOException {
        try (ServerSocket inUse = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Outcome outcome = Outcome.of(Proxy::run, inUse.getLocalPort(), "localhost:80");

            assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
            assertThat(outcome.err()).startsWith("proxy: cannot listen on ").hasLineCount(1);
        }
    }

    private Process proxy(int target) throws IOException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Proxy.class.getName(),
                        "0",
                        "localhost:" + target)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        processes.add(process);
        return process;
    }

    private static int port(BufferedReader output) throws IOException {
        Matcher started = STARTED.matcher(String.valueOf(output.readLine()));
        assertThat(started.matches()).isTrue();
        return Integer.parseInt(started.group(1));
    }

    private static boolean hasCurl() throws InterruptedException {
        try {
            return run(List.of("curl", "--version")).isBlank();
        } catch (IOException notThere) {
            return false;
        }
    }

    /** No proxy of the environment is asked, no configuration is read. */
    private static void curl(List<String> more, String url, String... options)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("curl", "-q", "-sS", "--fail", "--noproxy", "*"));
        command.addAll(List.of("--max-time", "60", "--resolve", "localhost:" + port(url) + ":127.0.0.1"));
        command.addAll(more);
        command.addAll(List.of(options));
        command.add(url);
        assertThat(run(command)).isEmpty();
    }

    private static String port(String url) {
        return url.replaceFirst("^.*localhost:(\\d+).*$", "$1");
    }

    /** Gives what it says of errors, and of its exit code if that is not 0. */
    private static String run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        process.getOutputStream().close();
        String errors;
        try (InputStream stream = process.getErrorStream()) {
            errors = new String(stream.readAllBytes(), UTF_8);
        }
        int exitCode = process.waitFor();
        return errors + (exitCode == 0 ? "" : command + " gave exit code " + exitCode);
    }

    private static void makeKey(Path store, Path certificate) throws IOException, InterruptedException {
        String keytool =
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        List<String> key = List.of("-storepass", new String(PASSWORD), "-keystore", store.toString(), "-alias", "test");
        List<String> make = new ArrayList<>(List.of(keytool, "-genkeypair", "-keyalg", "EC", "-storetype", "PKCS12"));
        make.addAll(List.of("-dname", "CN=localhost", "-ext", "san=dns:localhost", "-validity", "2"));
        make.addAll(key);
        List<String> export = new ArrayList<>(List.of(keytool, "-exportcert", "-rfc", "-file", certificate.toString()));
        export.addAll(key);
        run(make);
        run(export);
        assertThat(certificate).isNotEmptyFile();
    }

    private static SSLContext context(Path store) throws Exception {
        KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD);
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context;
    }
}
