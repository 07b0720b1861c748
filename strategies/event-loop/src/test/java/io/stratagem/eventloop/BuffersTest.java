package io.stratagem.eventloop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.AsyncFn;
import io.stratagem.ExecutorStrategy;
import io.stratagem.Workload;
import io.stratagem.testkit.Patience;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The memory of a loop is used again, and what is kept for that is bounded. */
final class BuffersTest extends NetworkFixture {
    private static final int MOST_ARRAYS = 256;
    private static final int MOST_RECORDS = 64;

    /** Gives back twice as many as are kept, and counts those that come again. */
    private static <T> long kept(int most, Supplier<T> take, Consumer<T> give) {
        Set<T> given = Collections.newSetFromMap(new IdentityHashMap<>());
        Stream.generate(take).limit(2L * most).forEach(given::add);
        assertThat(given).as("none is handed out twice").hasSize(2 * most);
        given.forEach(give);
        return Stream.generate(take).limit(2L * most).filter(given::contains).count();
    }

    @Test
    void give_moreThanAreKept_leavesTheRestToTheCollector() {
        Buffers buffers = new Buffers();
        assertThat(kept(MOST_ARRAYS, buffers::takeArray, buffers::giveArray)).isEqualTo(MOST_ARRAYS);
        assertThat(kept(MOST_RECORDS, buffers::takeRecord, buffers::giveRecord)).isEqualTo(MOST_RECORDS);
    }

    @Test
    void give_otherSizes_areNotKept() {
        Buffers buffers = new Buffers();
        byte[] array = new byte[2 * Buffers.ARRAY_BYTES];
        ByteBuffer record = ByteBuffer.allocate(2 * Buffers.RECORD_BYTES);
        buffers.giveArray(array);
        buffers.giveRecord(record);
        assertThat(buffers.takeArray()).hasSize(Buffers.ARRAY_BYTES);
        assertThat(buffers.takeRecord().capacity()).isEqualTo(Buffers.RECORD_BYTES);
    }

    /** More than are kept are open at once, twice, and each has something that was not read. */
    @Test
    void manyConnections_openedAndClosed_leaveAsManyAsAreKept() throws Exception {
        int connections = MOST_ARRAYS + 50;
        ExecutorStrategy strategy = strategy(1);
        AtomicInteger reading = new AtomicInteger();
        CompletableFuture<Server> listening = new CompletableFuture<>();
        AsyncFn<Integer, Void> serving = (n, loop) -> Network.of(loop)
                .listen(
                        anyPort(),
                        connection -> connection.handle((same, bytes) -> reading.incrementAndGet())) // and leaves it
                .thenCompose(server -> {
                    listening.complete(server);
                    return server.closed();
                });
        CompletableFuture<?> task = strategy.submit(Workload.async("serving", serving), 1);
        Server server = Patience.get(listening);
        AsyncFn<Integer, Long> counting = (n, loop) -> {
            Buffers buffers = ((LoopThread) Thread.currentThread()).buffers();
            // One that was used before has bytes in it.
            return CompletableFuture.completedFuture(Stream.generate(buffers::takeArray)
                    .takeWhile(array -> array[0] != 0)
                    .limit(2L * connections)
                    .count());
        };
        for (int round = 1; round <= 2; round++) {
            for (int i = 0; i < connections; i++) {
                Socket socket = new Socket();
                peers.add(socket);
                socket.connect(server.localAddress());
                socket.getOutputStream().write("half a li".getBytes(US_ASCII));
            }
            int all = round * connections;
            Patience.await().until(() -> reading.get() == all);
            closePeers();
            peers.clear();
        }
        Patience.get(server.close());
        Patience.get(task);
        assertThat(Patience.get(strategy.submit(Workload.async("counting", counting), 1))
                        .orElseThrow())
                .isEqualTo(MOST_ARRAYS);
    }
}
