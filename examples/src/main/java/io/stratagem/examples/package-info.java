/** Programs to learn from: each is started with {@code examples/run NAME} and does real work on real input. */
@NullMarked
package io.stratagem.examples;

import org.jspecify.annotations.NullMarked;
