package io.stratagem.examples;

import java.nio.file.Path;
import java.util.List;

/** What the tour shows of the event loop. */
final class NetworkSection {
    private NetworkSection() {}

    static void show(List<Path> files, Cli cli) throws Exception {
        Downloads.show(cli);
        Echo.show(cli);
        Proxy.show(cli);
        Mixed.show(files, cli);
    }
}
