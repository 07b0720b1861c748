package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.stratagem.processpool.Bytes.MalformedException;
import java.io.ByteArrayInputStream;
import org.junit.jupiter.api.Test;

/** What a worker makes of answers that are none. */
final class QuestionsTest {
    private static final int MAX_FRAME = 1000;

    private static void read(Bytes frames) throws Exception {
        read(new Questions(), frames);
    }

    private static void read(Questions questions, Bytes frames) throws Exception {
        questions.readAnswers(new ByteArrayInputStream(frames.toByteArray()), MAX_FRAME);
    }

    private static Bytes ints(int... values) {
        Bytes bytes = new Bytes();
        for (int each : values) {
            bytes.putInt(each);
        }
        return bytes;
    }

    @Test
    void answers_thatEnd_end() {
        assertThatCode(() -> read(new Bytes())).doesNotThrowAnyException();
        assertThatCode(() -> read(ints(100, 1))).as("within one").doesNotThrowAnyException();
    }

    @Test
    void answer_ofImpossibleLength_isMalformed() {
        for (int length : new int[] {-1, Integer.MIN_VALUE, MAX_FRAME + 1, Integer.MAX_VALUE, 0, 3}) {
            assertThatThrownBy(() -> read(ints(length, 1, 1)))
                    .as("%s bytes", length)
                    .isInstanceOf(MalformedException.class);
        }
    }

    @Test
    void answer_toNoQuestion_isMalformed() {
        assertThatThrownBy(() -> read(ints(8, 1, 0))).isInstanceOf(MalformedException.class);
    }

    @Test
    void secondAnswer_isMalformed() {
        Questions questions = new Questions();
        int number = questions.open(answer -> {});
        assertThatThrownBy(() -> read(questions, ints(4, number, 4, number))).isInstanceOf(MalformedException.class);
    }
}
