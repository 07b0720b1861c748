/** Workloads on threads of this JVM: {@link io.stratagem.threadpool.ThreadPoolStrategy}. */
@NullMarked
package io.stratagem.threadpool;

import org.jspecify.annotations.NullMarked;
