package io.stratagem.batchedipc;

import static io.stratagem.batchedipc.SharedMemoryFixture.array;
import static io.stratagem.batchedipc.SharedMemoryFixture.read;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.batchedipc.SharedMemory.Means;
import io.stratagem.testkit.Patience;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Arrays between this JVM and others, and what is left when one of them is killed. */
@Timeout(Patience.TEST_SECONDS)
final class SharedArrayProcessTest {
    private long descriptorsBefore;

    @BeforeEach
    void countDescriptors() {
        descriptorsBefore = SharedMemoryFixture.descriptors();
    }

    @AfterEach
    void nothingIsLeft() throws IOException {
        assertThat(SharedMemoryFixture.descriptors()).isEqualTo(descriptorsBefore);
        assertThat(SharedMemoryFixture.namedFiles(TestPlace.PATH)).isEmpty();
    }

    private static Means means(Passing passing) {
        return new Means(List.of(TestPlace.PATH), passing, Mapping.PREFERRED);
    }

    @ParameterizedTest
    @EnumSource(Passing.class)
    void otherProcess_readsAndWrites(Passing passing) throws Exception {
        try (SharedArray array = array(means(passing), SharedArray.Type.LONG, 1000);
                ArrayProcess other = ArrayProcess.start()) {
            array.setLong(7, 5);
            assertThat(other.open(array)).isEqualTo("ok");
            assertThat(other.ask("sum")).isEqualTo("5");
            assertThat(other.ask("set 999 37")).isEqualTo("ok");
            assertThat(array.getLong(999)).isEqualTo(37);
            assertThat(other.open(array.asReadOnly())).isEqualTo("ok");
            assertThat(other.ask("sum")).isEqualTo("42");
            assertThat(other.ask("set 1 1")).startsWith("ReadOnlyBufferException");
        }
    }

    @ParameterizedTest
    @EnumSource(Passing.class)
    void holderKilled_theArrayStays(Passing passing) throws Exception {
        try (SharedArray array = array(means(passing), SharedArray.Type.LONG, 1000);
                ArrayProcess other = ArrayProcess.start();
                ArrayProcess next = ArrayProcess.start()) {
            assertThat(other.open(array)).isEqualTo("ok");
            assertThat(other.ask("set 3 4")).isEqualTo("ok");
            other.kill();
            assertThat(array.getLong(3)).isEqualTo(4);
            assertThat(next.open(array)).isEqualTo("ok");
            assertThat(next.ask("sum")).isEqualTo("4");
        }
    }

    @Test
    void makerKilled_theOthersKeepIt_andPassItOn() throws Exception {
        try (ArrayProcess maker = ArrayProcess.start();
                ArrayProcess third = ArrayProcess.start()) {
            assertThat(maker.ask("make " + Passing.PREFERRED + " 1000 " + TestPlace.PATH))
                    .isEqualTo("ok");
            byte[] handle = maker.handle();
            try (SharedArray array = (SharedArray) read(handle)) {
                maker.kill();
                assertThat(array.getLong(999)).isEqualTo(999);
                assertThat(third.open(array)).isEqualTo("ok");
                assertThat(third.ask("sum")).isEqualTo("499500");
                // What this process has open itself, it need not ask the maker for.
                ((SharedArray) read(handle)).close();
            }
        }
    }

    @Test
    void makerOfAnArrayWithANameKilled_theSweepOfTheNextDeletesIt() throws Exception {
        try (ArrayProcess maker = ArrayProcess.start();
                ArrayProcess living = ArrayProcess.start();
                ArrayProcess next = ArrayProcess.start()) {
            assertThat(maker.ask("make BY_NAME 1000 " + TestPlace.PATH)).isEqualTo("ok");
            assertThat(living.ask("make BY_NAME 1000 " + TestPlace.PATH)).isEqualTo("ok");
            try (SharedArray array = (SharedArray) read(maker.handle())) {
                maker.kill();
                assertThat(SharedMemoryFixture.namedFiles(TestPlace.PATH)).hasSize(2);
                assertThat(next.ask("make " + Passing.PREFERRED + " 10 " + TestPlace.PATH))
                        .isEqualTo("ok");
                assertThat(SharedMemoryFixture.namedFiles(TestPlace.PATH))
                        .as("that of the living")
                        .hasSize(1);
                assertThat(array.getLong(999)).isEqualTo(999);
                assertThat(living.ask("close")).isEqualTo("ok");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Passing.class)
    void handle_afterTheMakersClose_isRefusedWithTheRemedy(Passing passing) throws Exception {
        try (ArrayProcess maker = ArrayProcess.start()) {
            assertThat(maker.ask("make " + passing + " 1000 " + TestPlace.PATH)).isEqualTo("ok");
            byte[] handle = maker.handle();
            assertThat(maker.ask("close")).isEqualTo("ok");
            refused(handle, maker);
            maker.kill();
            refused(handle, maker);
        }
    }

    private static void refused(byte[] handle, ArrayProcess maker) {
        assertThatThrownBy(() -> read(handle))
                .isInstanceOf(InvalidObjectException.class)
                .hasMessageContaining("the shared array of 1,000 longs")
                .hasMessageContaining("keep it open until the tasks that use it are done")
                .hasMessageMatching(".*( of process " + maker.pid() + "|/stratagem-" + maker.pid() + "-).*");
    }

    @Test
    void makerKilledAtAnyTime_leavesNothing() throws Exception {
        for (int round = 0; round < 5; round++) {
            try (ArrayProcess maker = ArrayProcess.start()) {
                assertThat(maker.ask("churn " + Passing.PREFERRED + " " + TestPlace.PATH))
                        .isEqualTo("ok");
            }
        }
        // It may have been between the creation and the deletion of a name: then the next sweep finds that.
        try (ArrayProcess next = ArrayProcess.start()) {
            assertThat(next.ask("make " + Passing.PREFERRED + " 10 " + TestPlace.PATH))
                    .isEqualTo("ok");
        }
        assertThat(SharedMemoryFixture.namedFiles(TestPlace.PATH)).isEmpty();
    }
}
