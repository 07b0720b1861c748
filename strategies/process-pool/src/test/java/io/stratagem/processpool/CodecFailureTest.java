package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.collect.Collections2;
import io.stratagem.Fn;
import io.stratagem.TransferException;
import java.io.NotSerializableException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.lang.invoke.MethodHandleInfo;
import java.lang.management.ClassLoadingMXBean;
import java.lang.management.ManagementFactory;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.text.SimpleDateFormat;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import jdk.net.UnixDomainPrincipal;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;

final class CodecFailureTest {
    private static final String INPUT = "input of workload 'render'";
    private static final String RESULT = "result of workload 'render'";
    private static final String HERE = CodecFailureTest.class.getName() + "$";

    private final Codec codec =
            new Codec(CodecFailureTest.class.getClassLoader(), Filters.fromWorker(Set.of(), Filters.Limits.DEFAULT));
    private final Codec trusting = new Codec(CodecFailureTest.class.getClassLoader(), Filters.fromApplication());

    private AbstractThrowableAssert<?, ?> assertWriteFails(Object value) {
        Bytes bytes = new Bytes();
        AbstractThrowableAssert<?, ?> failure = assertThatThrownBy(() -> codec.write(bytes, value, INPUT))
                .isInstanceOf(TransferException.class)
                .hasMessageStartingWith(INPUT + " cannot be serialised: ");
        assertThat(bytes.size()).isZero();
        return failure;
    }

    private AbstractThrowableAssert<?, ?> assertReadFails(Codec reader, Object value) {
        Bytes bytes = new Bytes();
        trusting.write(bytes, value, INPUT);
        return assertThatThrownBy(() -> reader.read(bytes, RESULT))
                .isInstanceOf(TransferException.class)
                .hasMessageStartingWith(RESULT + " cannot be rebuilt: ");
    }

    static final class Db {}

    @SuppressWarnings("serial") // that is what the test is about
    static final class Customer implements Serializable {
        private static final long serialVersionUID = 1;
        transient Db cached = new Db();
        Object connection;

        Customer(Object connection) {
            this.connection = connection;
        }
    }

    /** This one is of the JDK's, for want of another that is neither serialisable nor open. */
    @Test
    void record_ofAModuleThatIsNotOpen_namesTheRemedy() {
        assertWriteFails(new UnixDomainPrincipal(() -> "user", () -> "group"))
                .hasMessageContaining(
                        "UnixDomainPrincipal is not Serializable, and its module does not let this library"
                                + " look into the record: write \"opens jdk.net to io.stratagem.processpool;\" in the"
                                + " module-info of jdk.net, or make it Serializable");
    }

    record Order(Customer customer) {}

    record Basket(List<Order> orders, Map<String, Object> more) {}

    @Test
    void write_notSerializable_namesClassAndPath() {
        String problem = HERE + "Db is not Serializable";
        assertWriteFails(new Db())
                .hasMessageEndingWith("serialised: " + problem)
                .hasCauseInstanceOf(NotSerializableException.class);
        assertWriteFails(new Order(new Customer(new Db())))
                .hasMessageEndingWith(problem + "; at Order.customer.connection");
        assertWriteFails(List.of(1, List.of(new Customer(new Object[] {1, new Db()}))))
                .hasMessageEndingWith("[1][0].connection[1]");
        assertWriteFails(new Basket(List.of(), Map.of("key", new Customer(Map.of(5, new Db())))))
                .hasMessageEndingWith("; at Basket.more[key].connection[5]");
        assertWriteFails(new ArrayList<>(List.of(Map.of(new Db(), 1))))
                .hasMessageContaining("; at ArrayList[0].key(Db)");
        Customer cyclic = new Customer(null);
        cyclic.connection = Arrays.asList(cyclic, new Db());
        assertWriteFails(cyclic).hasMessageEndingWith("; at Customer.connection[1]");
    }

    private final Db field = new Db();

    @Test
    void write_lambdaThatCapturesThis_saysHowToAvoidIt() {
        Fn<Integer, Object> lambda = n -> field;
        assertWriteFails(lambda)
                .hasMessageContaining(CodecFailureTest.class.getName() + " is not Serializable")
                .hasMessageContaining("; at (lambda in CodecFailureTest).this; ")
                .hasMessageEndingWith("copy what it needs to a local variable first");
        Db local = new Db();
        Fn<Integer, Object> capturing = n -> local;
        assertWriteFails(new Customer(capturing))
                .hasMessageEndingWith("Db is not Serializable; at Customer.connection.captured[0]");
        Runnable plain = () -> {};
        assertWriteFails(new Customer(plain))
                .hasMessageContaining("Lambda")
                .hasMessageEndingWith("at Customer.connection");
    }

    @SuppressWarnings("serial") // that is what the test is about
    static final class Hostile implements Serializable {
        private static final long serialVersionUID = 1;
        final Throwable onWrite;
        final Throwable onRead;

        Hostile(Throwable onWrite, Throwable onRead) {
            this.onWrite = onWrite;
            this.onRead = onRead;
        }

        private void writeObject(ObjectOutputStream out) throws Throwable {
            if (onWrite != null) {
                throw onWrite.fillInStackTrace();
            }
            out.defaultWriteObject();
        }

        private void readObject(ObjectInputStream in) throws Throwable {
            in.defaultReadObject();
            if (onRead != null) {
                throw onRead.fillInStackTrace();
            }
        }
    }

    static final class Replaced implements Serializable {
        private static final long serialVersionUID = 1;

        private Object readResolve() {
            throw new IllegalStateException("no");
        }
    }

    record Picky(int number) {
        static boolean isPicky;

        Picky {
            if (isPicky) {
                throw new IllegalArgumentException("never " + number);
            }
        }
    }

    static final class Endless implements Serializable {
        private static final long serialVersionUID = 1;
        Endless next;

        @SuppressWarnings("InfiniteRecursion")
        private Object writeReplace() {
            return writeReplace();
        }
    }

    static final class Unspeakable extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public String getMessage() {
            throw new IllegalStateException();
        }
    }

    @Test
    void write_hostileClasses_fail() {
        assertWriteFails(new Customer(new Hostile(new IllegalStateException("no"), null)))
                .hasMessageContaining("writeObject of " + HERE + "Hostile threw java.lang.IllegalStateException: no")
                .hasMessageEndingWith("; at Customer.connection");
        assertWriteFails(new Hostile(new Unspeakable(), null)).hasMessageContaining("Unspeakable");
        assertWriteFails(new Hostile(new NoClassDefFoundError("a/B"), null)).hasMessageContaining("a/B");
        assertWriteFails(new Endless())
                .hasMessageContaining("writeReplace of " + HERE + "Endless threw StackOverflowError");
        List<Object> deep = null;
        for (int i = 0; i < 100_000; i++) {
            deep = new ArrayList<>(Arrays.asList(i, deep));
        }
        assertWriteFails(deep).hasMessageContaining("StackOverflowError: nested too deeply");
    }

    @Test
    void write_outOfMemory_passesThrough() {
        OutOfMemoryError error = new OutOfMemoryError();
        assertThatThrownBy(() -> codec.write(new Bytes(), new Hostile(error, null), INPUT))
                .isSameAs(error);
    }

    @Test
    void read_hostileClasses_fail() {
        assertReadFails(trusting, new Order(new Customer(new Hostile(null, new IllegalStateException("no")))))
                .hasMessageContaining("readObject of " + HERE + "Hostile threw java.lang.IllegalStateException: no")
                .hasMessageEndingWith("; at Order.customer");
        assertReadFails(trusting, new Replaced()).hasMessageContaining("readResolve of " + HERE + "Replaced threw");
        assertReadFails(trusting, new Hostile(null, new StackOverflowError()))
                .hasMessageContaining("StackOverflowError");
        Bytes bytes = new Bytes();
        codec.write(bytes, List.of(1, new Picky(2)), INPUT);
        Picky.isPicky = true;
        assertThatThrownBy(() -> codec.read(bytes, RESULT))
                .isInstanceOf(TransferException.class)
                .hasMessage(RESULT + " cannot be rebuilt: a record " + HERE + "Picky cannot be constructed:"
                        + " java.lang.IllegalArgumentException: never 2; at ArrayList[1]");
        Picky.isPicky = false;
    }

    /** The JDK's own code takes such bytes for an error of the JVM. */
    @Test
    void read_mapWithHalfAPair_fails() {
        Bytes bytes = new Bytes();
        trusting.write(bytes, new Customer(List.of(1, 2, 3)), INPUT);
        byte[] list = {'t', 'a', 'g', 'x', 'p', 0, 0, 0, 1};
        int at = Collections.indexOfSubList(
                com.google.common.primitives.Bytes.asList(bytes.array()),
                com.google.common.primitives.Bytes.asList(list));
        bytes.array()[at + list.length - 1] = 3; // a map
        assertThatThrownBy(() -> trusting.read(bytes, RESULT))
                .isInstanceOf(TransferException.class)
                .hasMessageContaining("java.lang.InternalError");
    }

    @Test
    void read_classThatIsNotAllowed_isRejectedAndNamed() {
        assertReadFails(codec, new Customer(1))
                .hasMessageContaining(HERE + "Customer is not allowed")
                .hasMessageContaining("allowPackage(\"" + getClass().getPackageName() + "\")");
        assertReadFails(codec, new Order(new Customer(1)))
                .hasMessageContaining("Customer")
                .hasMessageEndingWith("at Order.customer");
        assertReadFails(codec, new Customer[0]).hasMessageContaining("Customer");
        assertReadFails(codec, new ArrayList<>(List.of(new SimpleDateFormat("yyyy", Locale.ROOT))))
                .hasMessageContaining("java.text.SimpleDateFormat is not allowed");
    }

    interface Greeter extends Serializable {
        String greet();
    }

    @Test
    void read_lambdaOfAClassThatIsNotAllowed_isRejected() {
        Greeter lambda = () -> "hello";
        assertReadFails(codec, lambda).hasMessageContaining(getClass().getName() + " is not allowed");
    }

    @Test
    void read_lambdaThatItsClassDoesNotHave_fails() {
        Bytes bytes = new Bytes();
        Tag.LAMBDA.put(bytes);
        bytes.putString(getClass().getName());
        bytes.putString("io/stratagem/Fn");
        bytes.putString("apply");
        bytes.putString("(Ljava/lang/Object;)Ljava/lang/Object;");
        bytes.putVarInt(MethodHandleInfo.REF_invokeStatic);
        bytes.putString("java/lang/System");
        bytes.putString("getProperty");
        bytes.putString("(Ljava/lang/String;)Ljava/lang/String;");
        bytes.putString("(Ljava/lang/String;)Ljava/lang/String;");
        bytes.putVarInt(0);

        assertThatThrownBy(() -> trusting.read(bytes, RESULT))
                .isInstanceOf(TransferException.class)
                .hasMessageStartingWith(
                        RESULT + " cannot be rebuilt: a lambda of " + getClass().getName()
                                + " cannot be rebuilt: java.lang.IllegalArgumentException: Invalid lambda deserialization");
    }

    @Test
    void read_lambdaWithMoreCapturedValuesThanThereCanBe_isMalformed() {
        Bytes bytes = new Bytes();
        Tag.LAMBDA.put(bytes);
        bytes.putString(getClass().getName());
        for (int i = 0; i < 3; i++) {
            bytes.putString("");
        }
        bytes.putVarInt(MethodHandleInfo.REF_invokeStatic);
        for (int i = 0; i < 4; i++) {
            bytes.putString("");
        }
        bytes.putVarInt(256);
        bytes.extend(256);

        assertThatThrownBy(() -> trusting.read(bytes, RESULT)).hasMessageContaining("captured 256 values");
    }

    static final class Handler implements InvocationHandler, Serializable {
        private static final long serialVersionUID = 1;

        @Override
        public Object invoke(Object proxy, Method method, Object[] arguments) {
            return "hello";
        }
    }

    @Test
    void read_proxy_isFoundThroughTheLoaderUnlessRejected() {
        Object proxy =
                Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {Greeter.class}, new Handler());
        assertReadFails(codec, proxy).hasMessageContaining("is not allowed");
        Bytes bytes = new Bytes();
        trusting.write(bytes, proxy, INPUT);
        assertThat(((Greeter) trusting.read(bytes, RESULT)).greet()).isEqualTo("hello");
    }

    static final AtomicBoolean IS_INITIALISED = new AtomicBoolean();

    static final class Watched implements Serializable {
        private static final long serialVersionUID = 1;

        static {
            IS_INITIALISED.set(true);
        }
    }

    @Test
    void read_classThatIsNotAllowed_isNotInitialised() {
        String name = HERE + "Watched";
        Bytes bytes = new Bytes();
        Tag.RECORD.put(bytes);
        bytes.putVarInt(0);
        bytes.putString(name);
        assertThatThrownBy(() -> codec.read(bytes, RESULT)).hasMessageContaining(name + " is not allowed");
        bytes.position(0);
        assertThatThrownBy(() -> trusting.read(bytes, RESULT)).hasMessageContaining("is not a record");
        assertThat(IS_INITIALISED).isFalse();
    }

    @Test
    void read_limits_areKept() {
        Filters.Limits limits = new Filters.Limits(20, 100, 50, 2000);
        Codec limited = new Codec(getClass().getClassLoader(), Filters.fromWorker(Set.of("io"), limits));
        Customer deep = new Customer(null);
        for (int i = 0; i < 30; i++) {
            deep = new Customer(deep);
        }
        assertReadFails(limited, deep).hasMessageContaining("depth 21");
        assertReadFails(limited, new Integer[200]).hasMessageContaining("array length 200");
        assertReadFails(limited, new Customer(List.of("x".repeat(3000), "y"))).hasMessageContaining("bytes");
        List<Object> many = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            many.add(new Customer(new Customer(new Customer(null))));
        }
        assertReadFails(limited, new Customer(many)).hasMessageContaining("references 101");
    }

    @Test
    void read_packageThatIsAllowed_isLetIn() {
        for (String name : List.of("io.stratagem.processpool", "io.stratagem", "io")) {
            Codec allowing =
                    new Codec(getClass().getClassLoader(), Filters.fromWorker(Set.of(name), Filters.Limits.DEFAULT));
            Bytes bytes = new Bytes();
            codec.write(bytes, new Customer(1), INPUT);
            assertThat(allowing.read(bytes, RESULT)).isInstanceOf(Customer.class);
        }
    }

    /** Each order of interfaces is a class of its own, which stays as long as its loader. */
    @Test
    void read_proxyThatIsNotAllowed_makesNoClass() {
        ClassLoader other = new ClassLoader(getClass().getClassLoader()) {};
        List<Bytes> sent = new ArrayList<>();
        for (List<Class<?>> order : Collections2.permutations(
                List.<Class<?>>of(Runnable.class, CharSequence.class, AutoCloseable.class, Iterable.class))) {
            Bytes bytes = new Bytes();
            trusting.write(bytes, Proxy.newProxyInstance(other, order.toArray(Class<?>[]::new), new Handler()), INPUT);
            sent.add(bytes);
        }
        assertThatThrownBy(() -> codec.read(sent.get(0), RESULT)).isInstanceOf(TransferException.class);
        ClassLoadingMXBean classes = ManagementFactory.getClassLoadingMXBean();
        long before = classes.getTotalLoadedClassCount();
        for (Bytes each : sent.subList(1, sent.size())) {
            assertThatThrownBy(() -> codec.read(each, RESULT)).isInstanceOf(TransferException.class);
        }
        assertThat(classes.getTotalLoadedClassCount() - before).isLessThan(sent.size() - 1);
    }
}
