package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.THROWABLE;

import io.stratagem.TransferException;
import io.stratagem.WorkerFailureException;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

final class ThrowableCodecTest {
    private static final String WORKER = "pool-1, pid 4711";

    private static ThrowableCodec codec(ClassLoader loader) {
        return new ThrowableCodec(new Codec(loader, Filters.fromWorker(Set.of(), Filters.Limits.DEFAULT)));
    }

    private final ThrowableCodec codec = codec(ThrowableCodecTest.class.getClassLoader());

    private static Throwable roundTrip(ThrowableCodec codec, Throwable throwable) {
        Bytes bytes = new Bytes();
        codec.write(bytes, throwable);
        Throwable copy = codec.read(bytes, WORKER);
        assertThat(bytes.remaining()).isZero();
        assertThat(print(copy)).contains("---- worker.process(pool-1, pid 4711)");
        return copy;
    }

    private static String print(Throwable throwable) {
        StringWriter text = new StringWriter();
        throwable.printStackTrace(new PrintWriter(text, true));
        return text.toString();
    }

    static final class Custom extends Exception {
        private static final long serialVersionUID = 1;
        final int code;
        final Throwable other;

        Custom(String message, int code, Throwable other, Throwable cause) {
            super(message, cause);
            this.code = code;
            this.other = other;
        }
    }

    static final class Unserialisable extends RuntimeException {
        private static final long serialVersionUID = 1;

        @SuppressWarnings("serial")
        final Object field = new Object();

        Unserialisable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    @Test
    void roundTrip_anException_isItself() {
        IOException cause = new IOException("disk");
        Custom original = new Custom("failed", 42, cause, cause);
        original.addSuppressed(new ArithmeticException("div"));
        Throwable copy = roundTrip(codec, original);
        assertThat(copy).isExactlyInstanceOf(Custom.class).hasMessage("failed");
        assertThat(((Custom) copy).code).isEqualTo(42);
        assertThat(((Custom) copy).other).isSameAs(copy.getCause());
        assertThat(copy.getCause()).isExactlyInstanceOf(IOException.class).hasMessage("disk");
        assertThat(copy.getSuppressed()).singleElement().isInstanceOf(ArithmeticException.class);
        StackTraceElement[] frames = copy.getStackTrace();
        assertThat(Arrays.copyOf(frames, frames.length - 1))
                .extracting(frame -> frame.getClassName() + frame.getMethodName() + frame.getLineNumber())
                .isEqualTo(Arrays.stream(original.getStackTrace())
                        .map(frame -> frame.getClassName() + frame.getMethodName() + frame.getLineNumber())
                        .toList());
        assertThat(print(copy))
                .contains("\tat io.stratagem.processpool.ThrowableCodecTest.roundTrip_anException_isItself(");
    }

    @Test
    void roundTrip_noMessageNoCause_staysSo() {
        assertThat(roundTrip(codec, new IllegalStateException()))
                .hasMessage(null)
                .hasNoCause();
        assertThat(roundTrip(codec, new AssertionError())).isExactlyInstanceOf(AssertionError.class);
        assertThat(roundTrip(codec, new ExecutionException(null))).hasNoCause();
    }

    @Test
    void roundTrip_fieldOfAThrowablesOwnType_isKept() {
        SQLException original = new SQLException("first");
        original.setNextException(new SQLException("second"));
        Throwable next = ((SQLException) roundTrip(codec, original)).getNextException();
        assertThat(next).hasMessage("second");
    }

    @Test
    void roundTrip_thatCannotBeSerialised_isASurrogate() {
        Unserialisable original = new Unserialisable("boom", new IOException("disk"));
        original.addSuppressed(new Custom("s", 1, null, null));
        Throwable copy = roundTrip(codec, original);
        assertThat(copy)
                .isInstanceOf(WorkerFailureException.class)
                .hasMessage(Unserialisable.class.getName() + ": boom")
                .hasCauseExactlyInstanceOf(IOException.class);
        assertThat(((WorkerFailureException) copy).originalClass()).isEqualTo(Unserialisable.class.getName());
        assertThat(copy.getStackTrace()[0].getMethodName()).isEqualTo("roundTrip_thatCannotBeSerialised_isASurrogate");
        assertThat(copy.getSuppressed()).hasAtLeastOneElementOfType(Custom.class);
        assertThat(copy.getSuppressed())
                .filteredOn(TransferException.class::isInstance)
                .singleElement()
                .asInstanceOf(THROWABLE)
                .hasMessage("the exception cannot be serialised: java.lang.Object is not Serializable;"
                        + " at Unserialisable.field");
    }

    @Test
    void roundTrip_causeThatCannotBeSerialised_leavesTheRestAsItIs() {
        Throwable copy =
                roundTrip(codec, new Custom("m", 7, null, new Unserialisable("boom", new IOException("disk"))));
        assertThat(copy).isExactlyInstanceOf(Custom.class);
        assertThat(copy.getCause()).isInstanceOf(WorkerFailureException.class).hasMessageEndingWith(": boom");
        assertThat(copy.getCause().getCause()).isExactlyInstanceOf(IOException.class);
    }

    @Test
    void read_classThatIsUnknown_isASurrogateWithTheReason() {
        ThrowableCodec elsewhere = codec(ClassLoader.getPlatformClassLoader());
        Bytes bytes = new Bytes();
        codec.write(bytes, new Custom("failed", 1, null, new IOException("disk")));
        Throwable copy = elsewhere.read(bytes, WORKER);
        assertThat(copy)
                .isInstanceOf(WorkerFailureException.class)
                .hasMessage(Custom.class.getName() + ": failed")
                .hasCauseExactlyInstanceOf(IOException.class);
        assertThat(copy.getSuppressed())
                .singleElement()
                .asInstanceOf(THROWABLE)
                .hasMessageContaining("class " + Custom.class.getName() + " was not found");
    }

    static final class Holder implements java.io.Serializable {
        private static final long serialVersionUID = 1;
    }

    static final class WithField extends RuntimeException {
        private static final long serialVersionUID = 1;
        final Holder holder = new Holder();
    }

    @Test
    void read_fieldOfAClassThatIsNotAllowed_isASurrogateWithTheReason() {
        Throwable copy = roundTrip(codec, new WithField());
        assertThat(copy).isInstanceOf(WorkerFailureException.class).hasMessage(WithField.class.getName());
        assertThat(copy.getSuppressed()[0]).hasMessageContaining(Holder.class.getName() + " is not allowed");
    }

    @Test
    void roundTrip_cyclicCauses_end() {
        Exception first = new Exception("first");
        Exception second = new Exception("second", first);
        first.initCause(second);
        first.addSuppressed(second);
        Throwable copy = roundTrip(codec, first);
        assertThat(copy).isExactlyInstanceOf(Exception.class).hasMessage("first");
        assertThat(copy.getSuppressed()).containsExactly(copy.getCause());
        assertThat(copy.getCause())
                .as("with what the cycle is cut")
                .hasMessage("java.lang.Exception: second")
                .hasNoCause();
    }

    @Test
    void roundTrip_sharedCause_isShared() {
        Exception shared = new Exception("shared");
        Exception original = new Exception("original", shared);
        original.addSuppressed(new Exception("suppressed", shared));
        Throwable copy = roundTrip(codec, original);
        assertThat(copy.getCause()).isExactlyInstanceOf(Exception.class).isSameAs(copy.getSuppressed()[0].getCause());
    }

    @Test
    void roundTrip_veryManyCauses_areCutOff() {
        Throwable original = new Exception("0");
        for (int i = 1; i < 5_000; i++) {
            original = i % 3 == 0 ? new Unserialisable("" + i, original) : new Exception("" + i, original);
        }
        assertThat(roundTrip(codec, original)).hasMessage("4999");
        Throwable cause = roundTrip(codec, original);
        int causes = 0;
        for (; cause != null; cause = cause.getCause()) {
            causes++;
        }
        assertThat(causes).isEqualTo(100);
    }

    static final class Broken extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public String getMessage() {
            throw new IllegalStateException("getMessage");
        }

        @Override
        public String toString() {
            throw new IllegalStateException("toString");
        }

        @Override
        @SuppressWarnings("UnsynchronizedOverridesSynchronized")
        public Throwable getCause() {
            throw new StackOverflowError("getCause");
        }

        @Override
        public StackTraceElement[] getStackTrace() {
            return null;
        }

        private void writeObject(ObjectOutputStream out) {
            throw new IllegalStateException("writeObject");
        }
    }

    static final class Gappy extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public StackTraceElement[] getStackTrace() {
            return new StackTraceElement[] {null, new StackTraceElement("A", "b", "A.java", 1), null};
        }
    }

    @Test
    void roundTrip_stackTraceWithNulls_isWithoutThem() {
        Throwable copy = roundTrip(codec, new Exception("outer", new Gappy()));

        assertThat(copy.getCause()).isInstanceOf(Gappy.class);
    }

    @Test
    void roundTrip_brokenThrowable_isASurrogate() {
        Throwable copy = roundTrip(codec, new Exception("outer", new Broken()));
        assertThat(copy.getCause())
                .isInstanceOf(WorkerFailureException.class)
                .hasMessageContaining(Broken.class.getName())
                .hasMessageContaining("getMessage threw java.lang.IllegalStateException");
    }

    static final class BrokenHere extends RuntimeException {
        private static final long serialVersionUID = 1;

        BrokenHere(String message) {
            super(message);
        }

        private Object readResolve() {
            return "no throwable";
        }
    }

    @Test
    void read_thatResolvesToSomethingElse_isASurrogate() {
        assertThat(roundTrip(codec, new BrokenHere("x")))
                .isInstanceOf(WorkerFailureException.class)
                .hasMessage(BrokenHere.class.getName() + ": x");
    }

    @Test
    void write_noRoomForTheFields_writesTheText() {
        Bytes bytes = new Bytes(40_000);
        codec.write(bytes, new Custom("small", 1, null, null));
        int size = bytes.size();
        Bytes narrow = new Bytes(size - 1);
        codec.write(narrow, new Custom("small", 1, null, null));
        assertThat(codec.read(narrow, WORKER)).isInstanceOf(WorkerFailureException.class);
        Bytes none = new Bytes(100);
        assertThatThrownBy(() -> codec.write(none, new Custom("x".repeat(100), 1, null, null)))
                .isInstanceOf(TransferException.class)
                .hasMessageContaining("limit of 100 bytes");
        assertThat(none.size()).isZero();
    }
}
