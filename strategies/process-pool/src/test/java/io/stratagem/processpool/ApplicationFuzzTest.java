package io.stratagem.processpool;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a worker sends, the application has a result for each task, and takes little memory. */
final class ApplicationFuzzTest {
    private static final ApplicationSide APPLICATION = new ApplicationSide();

    static Stream<byte[]> seeds() {
        return Exchange.between(APPLICATION, new WorkerSide()).fromWorker().stream()
                .map(bytes -> ApplicationSide.withPageWord(0, bytes));
    }

    @MethodSource("seeds")
    @Timeout(60)
    @FuzzTest
    void answers_ofAnyBytes_giveEachTaskAResult(byte[] bytes) {
        FuzzedBytes.check(bytes, APPLICATION::takeAndCheck);
    }
}
