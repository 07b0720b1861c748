package io.stratagem.batchedipc;

import com.code_intelligence.jazzer.junit.FuzzTest;
import org.junit.jupiter.api.Timeout;

/** Whatever the other side writes into the memory of a ring, this side comes to no harm. */
final class RingFuzzTest {
    @Timeout(60)
    @FuzzTest
    void memory_thatTheOtherSideChanges_doesNoHarm(byte[] script) {
        TamperedRing.endures(script);
    }
}
