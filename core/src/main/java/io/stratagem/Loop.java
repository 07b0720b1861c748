package io.stratagem;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * What a strategy offers to asynchronous tasks while they run. Every strategy has one; on an event loop it is the
 * loop itself, on a thread pool its callbacks run on the pool's threads.
 *
 * <p>Any thread may call any method. No method blocks. Futures made here are completed on {@link #executor()}, so
 * that their dependent stages run there; except that who cancels one completes it himself, and that what cannot be
 * completed there because the strategy is closed is completed on a thread that all strategies share.
 */
public interface Loop {

    /**
     * A future that completes after a delay, holding no thread meanwhile. It outlives its task: cancelling it frees its
     * timer.
     *
     * @param delay how long; zero or negative completes as soon as possible
     * @return the future
     */
    CompletableFuture<Void> delay(Duration delay);

    /**
     * Runs a blocking or heavy call on the strategy's threads for blocking work. It may outlive its task; an event loop
     * cancels it when its task fails, is cancelled or takes too long.
     *
     * @param call what to run
     * @param <T> what it gives
     * @return the call's value or exception; cancelling it interrupts the call
     */
    <T> CompletableFuture<T> offload(Callable<? extends T> call);

    /**
     * Whether the current thread is one that runs this loop's callbacks, and so must not block.
     *
     * @return true on such a thread
     */
    boolean inLoop();

    /**
     * Runs callbacks. Hand it to {@code HttpClient} and other clients that complete futures. The JDK's {@code HttpClient}
     * runs body handlers and subscribers there, but completes the future of {@code sendAsync} elsewhere: what depends on
     * that names it, as {@code thenApplyAsync(…, loop.executor())} does.
     *
     * @return the executor
     */
    Executor executor();
}
