/** For strategies that use the worker processes of a pool, and other ways to them. Subject to change. */
@NullMarked
package io.stratagem.processpool.spi;

import org.jspecify.annotations.NullMarked;
