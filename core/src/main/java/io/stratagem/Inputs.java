package io.stratagem;

import java.util.Collection;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** Inputs as a stream that asks for nothing before it is read. */
final class Inputs {
    private Inputs() {}

    /** A collection's spliterator binds late by itself, and knows its size. */
    static <I> Stream<I> lazily(Iterable<I> inputs) {
        return inputs instanceof Collection<I> collection
                ? StreamSupport.stream(collection.spliterator(), false)
                : StreamSupport.stream(inputs::spliterator, 0, false);
    }
}
