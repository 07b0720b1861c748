package io.stratagem.processpool;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever the application sends, a worker runs it or ends, and takes little memory. */
final class WorkerFuzzTest {
    private static final WorkerSide WORKER = new WorkerSide();

    static Stream<byte[]> seeds() {
        return Exchange.between(new ApplicationSide(), WORKER).toWorker().stream();
    }

    @MethodSource("seeds")
    @Timeout(60)
    @FuzzTest
    void orders_ofAnyBytes_endOrAreRun(byte[] bytes) {
        FuzzedBytes.check(bytes, WORKER::takeAndCheck);
    }
}
