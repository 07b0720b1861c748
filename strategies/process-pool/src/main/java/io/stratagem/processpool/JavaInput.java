package io.stratagem.processpool;

import io.stratagem.processpool.spi.HostLine;
import io.stratagem.processpool.spi.IncomingValue;
import java.io.IOException;
import java.io.InvalidClassException;
import java.io.InvalidObjectException;
import java.io.ObjectInputFilter;
import java.io.ObjectInputStream;
import java.io.ObjectStreamClass;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Java's deserialisation, of the classes that a {@link ClassFinder} lets in, and with no more memory than is due. */
class JavaInput extends ObjectInputStream implements HostLine.Source {
    /** Array elements, and bytes of primitive arrays, per byte of the stream. A hash table is announced as an array. */
    private static final int CLAIM_PER_BYTE = 4;

    private static final int CLAIM_AT_LEAST = 1024;

    private final ClassFinder finder;
    private long claim;
    private @Nullable InvalidObjectException rejection;

    JavaInput(Bytes in, ClassFinder finder) throws IOException {
        super(in.asInput());
        this.finder = finder;
        this.claim = CLAIM_AT_LEAST + (long) CLAIM_PER_BYTE * in.remaining();
        setObjectInputFilter(this::check);
    }

    private ObjectInputFilter.Status check(ObjectInputFilter.FilterInfo info) {
        Class<?> type = info.serialClass();
        if (type != null && info.arrayLength() > 0) {
            claim -= info.arrayLength() * elementBytes(type);
            if (claim < 0) {
                rejection = new InvalidObjectException(
                        "an array of " + info.arrayLength() + " elements was announced, more than the bytes can hold");
                return ObjectInputFilter.Status.REJECTED;
            }
        }
        ObjectInputFilter.Status status = finder.filter().checkInput(info);
        if (status == ObjectInputFilter.Status.REJECTED && rejection == null) {
            rejection = type != null && finder.isRejected(type)
                    ? ClassFinder.rejection(type)
                    : new InvalidObjectException("more than the limits allow: " + text(info));
        }
        return status;
    }

    private static String text(ObjectInputFilter.FilterInfo info) {
        return "references " + info.references() + ", bytes " + info.streamBytes() + ", depth " + info.depth()
                + ", array length " + info.arrayLength();
    }

    private static int elementBytes(Class<?> arrayType) {
        Class<?> component = arrayType.getComponentType();
        if (component == long.class || component == double.class) {
            return Long.BYTES;
        }
        if (component == int.class || component == float.class) {
            return Integer.BYTES;
        }
        return component == short.class || component == char.class ? Short.BYTES : 1;
    }

    /** Reads an object; what is rejected is named, as it is not by {@code readObject}. */
    @Nullable
    Object readValue() throws IOException, ClassNotFoundException {
        IncomingValue incoming = finder.incoming();
        IncomingValue before = incoming == null ? null : IncomingValue.enter(incoming);
        try {
            return readObject();
        } catch (InvalidClassException e) {
            throw rejection != null ? rejection : e;
        } finally {
            if (incoming != null) {
                IncomingValue.enter(before);
            }
        }
    }

    @Override
    public @Nullable HostLine hostLine(UUID id, String contents) {
        return finder.loader() instanceof RemoteClassLoader loader
                ? loader.hosts().line(id, contents, loader.number(), new Codec(finder))
                : null;
    }

    @Override
    protected Class<?> resolveClass(ObjectStreamClass description) throws ClassNotFoundException {
        return finder.load(description.getName());
    }

    @Override
    protected Class<?> resolveProxyClass(String[] names) throws ClassNotFoundException, InvalidObjectException {
        if (finder.isRejected(Proxy.class)) { // before one is made: the JDK asks for the class
            throw ClassFinder.rejection(Proxy.class);
        }
        Class<?>[] interfaces = new Class<?>[names.length];
        ClassLoader loader = finder.loader();
        for (int i = 0; i < names.length; i++) {
            interfaces[i] = finder.load(names[i]);
            if (!Modifier.isPublic(interfaces[i].getModifiers())) {
                loader = interfaces[i].getClassLoader();
            }
        }
        try {
            return Proxy.newProxyInstance(loader, interfaces, (proxy, method, arguments) -> null)
                    .getClass();
        } catch (IllegalArgumentException e) {
            throw new ClassNotFoundException("proxy of " + String.join(", ", names), e);
        }
    }
}
