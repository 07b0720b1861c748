package io.stratagem.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Result;
import io.stratagem.Workload;
import io.stratagem.eventloop.EventLoopStrategy;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The server of the examples against the JDK's client, and with the client of the examples. */
final class LocalSiteTest {
    private static final Workload<URI, byte[]> GET = Workload.async("get", HttpGet::body);

    @Test
    void pathsBeyondAscii_areServed_overOneConnection() throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        try (LocalSite site = upperCase()) {
            for (String path : new String[] {"/a b/ä€?#%41", "/second"}) {
                HttpResponse<String> response = client.send(
                        HttpRequest.newBuilder(site.uri(path)).build(), HttpResponse.BodyHandlers.ofString());
                assertThat(response.statusCode()).isEqualTo(200);
                assertThat(response.body()).isEqualTo("body of " + path);
            }
        }
    }

    @Test
    void otherMethods_areRefused() throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        try (LocalSite site = upperCase()) {
            HttpRequest request =
                    HttpRequest.newBuilder(site.uri("/x")).DELETE().build();
            assertThat(client.send(request, HttpResponse.BodyHandlers.discarding())
                            .statusCode())
                    .isEqualTo(405);
        }
    }

    @Test
    void get_givesTheBody_orSaysWhyNot() throws Exception {
        try (LocalSite site = upperCase();
                EventLoopStrategy loop = EventLoopStrategy.create()) {
            assertThat(loop.run(GET, site.uri("/ö")).orElseThrow()).isEqualTo("body of /ö".getBytes(UTF_8));
            assertThat(loop.run(GET, site.uri("/missing")))
                    .satisfies(result -> assertThat(cause(result))
                            .isInstanceOf(IOException.class)
                            .hasMessageContaining("/missing: HTTP/1.1 404 Not Found"));
            assertThat(loop.run(GET, site.uri("/broken")))
                    .satisfies(result -> assertThat(cause(result)).hasMessageContaining("500"));
        }
    }

    private static Throwable cause(Result<byte[]> result) {
        return ((Result.Failure<byte[]>) result).cause();
    }

    private static LocalSite upperCase() throws IOException {
        return LocalSite.start((path, loop) -> {
            if (path.equals("/missing")) {
                throw new NoSuchFileException(path);
            }
            return path.equals("/broken")
                    ? CompletableFuture.failedFuture(new IOException("on purpose"))
                    : CompletableFuture.completedFuture(("body of " + path).getBytes(UTF_8));
        });
    }
}
