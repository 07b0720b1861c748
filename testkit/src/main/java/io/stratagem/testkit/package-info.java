/** The contract that every strategy must pass, and helpers for tests with many threads. */
@NullMarked
package io.stratagem.testkit;

import org.jspecify.annotations.NullMarked;
