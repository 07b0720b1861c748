package io.stratagem;

import static com.google.common.base.Preconditions.checkState;

import io.stratagem.spi.PipelineRun;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Workloads one after another: what one gives is the input of the next. Each input goes on to its next stage as soon as
 * it has passed the one before, so that the stages work at the same time, on different inputs. Immutable; any thread may
 * use it, for as many runs as it likes:
 *
 * <pre>{@code
 * Pipeline<URI, Thumbnail> thumbnails = Pipeline.of(fetch).then(hash).then(render);
 * try (Stream<Result<Thumbnail>> all = thumbnails.map(strategy, uris)) {
 *     all.forEachOrdered(each -> show(each));
 * }
 * }</pre>
 *
 * <p>The strategy that a run is given does all stages, except those that were put {@linkplain #on on} one of their own.
 * {@link Stratagem#auto()} puts each on the one that suits it.
 * A pipeline owns no strategy and closes none.
 *
 * <p>An input that fails in one stage skips those behind it: that failure is its result. So there is one result for each
 * input, with the {@link Execution} of the last stage that ran. Null goes from stage to stage like any other value.
 *
 * <p>Each stage runs an input as a task of its own, as {@link ExecutorStrategy#submit submit} does, with the timeout,
 * retries and limits of its workload. Tasks of a microsecond, which a {@code map} would run many at a time, are better
 * put together in one workload.
 *
 * @param <I> what the first stage takes
 * @param <O> what the last stage gives
 */
@SuppressWarnings("UnusedTypeParameter") // they tie the stages together
public final class Pipeline<I, O> {
    private final List<Stage> stages;

    /** A workload and the strategy that it was put on, or null for that of the run. */
    private record Stage(Workload<?, ?> workload, @Nullable ExecutorStrategy strategy) {
        /** Where it runs: a strategy that chooses is asked now, so that the run knows what its stages run on. */
        PipelineRun.Stage placed(ExecutorStrategy others) {
            ExecutorStrategy place = strategy == null ? others : strategy;
            while (place instanceof AutoStrategy auto) { // one may be a part of another
                place = auto.strategyFor(workload);
            }
            return new PipelineRun.Stage(workload, place);
        }

        @Override
        public String toString() {
            return workload.name() + (strategy == null ? "" : " on " + strategy.name());
        }
    }

    private Pipeline(List<Stage> stages) {
        this.stages = stages;
    }

    /**
     * A pipeline of one stage.
     *
     * @param first what to run
     * @param <I> what it takes
     * @param <O> what it gives
     * @return the pipeline
     */
    public static <I, O> Pipeline<I, O> of(Workload<I, O> first) {
        return new Pipeline<>(List.of(new Stage(Objects.requireNonNull(first, "first"), null)));
    }

    /**
     * This pipeline and one more stage.
     *
     * @param next what to run with what this pipeline gives
     * @param <P> what it gives
     * @return a new pipeline
     */
    public <P> Pipeline<I, P> then(Workload<? super O, P> next) {
        List<Stage> longer = new ArrayList<>(stages);
        longer.add(new Stage(Objects.requireNonNull(next, "next"), null));
        return new Pipeline<>(Collections.unmodifiableList(longer));
    }

    /**
     * This pipeline with its last stage on a strategy of its own, whatever strategy a run is given:
     *
     * <pre>{@code
     * Pipeline.of(fetch).on(loop).then(hash).then(render).on(processes)
     * }</pre>
     *
     * @param strategy what runs the last stage; must stay open as long as the pipeline is used
     * @return a new pipeline
     * @throws IllegalStateException if that stage has a strategy already
     */
    public Pipeline<I, O> on(ExecutorStrategy strategy) {
        Objects.requireNonNull(strategy, "strategy");
        int last = stages.size() - 1;
        Stage stage = stages.get(last);
        checkState(stage.strategy == null, "a strategy was set already: %s", stage);
        List<Stage> changed = new ArrayList<>(stages);
        changed.set(last, new Stage(stage.workload, strategy));
        return new Pipeline<>(Collections.unmodifiableList(changed));
    }

    /**
     * Runs every stage for each input, as a lazy stream with exactly one result for each. It is what
     * {@link ExecutorStrategy#map(Workload, Stream, MapOptions)} is for one workload: nothing happens before the terminal
     * operation; the thread that reads pulls the inputs; what the input throws reaches the reader after the results
     * before it; closing the stream cancels what is in flight, in whatever stage, starts no further one and closes the
     * inputs; an interrupted reader gets a {@link CancellationException}, keeps its interrupt, and the rest is cancelled.
     *
     * <p>One window holds for the whole: it counts inputs from when they are pulled until their result is taken,
     * wherever they are in between. By default it is the largest {@code window} that a strategy of the stages was built
     * with, 256 if none was. The stages do not count in what may be {@linkplain Rejection pending}. The bytes of inputs,
     * of what is between stages and of results are bounded, too, by the least {@code windowBytes} of those strategies.
     *
     * <p>When the deadline passes, each input in flight gets a failure with {@link TaskTimeoutException}, in whatever
     * stage it is; if inputs are left, the stream then throws it.
     *
     * <p>When a strategy of a stage is closed while the stream still pulls inputs, its {@code close} waits for those that
     * were taken in to pass all their stages there; the reader gets their results, then
     * {@link RejectedExecutionException}. After {@code closeNow} those that have not passed get a failure with
     * {@link CancellationException}. Where a strategy that is not of this library refuses a task, that input gets a
     * failure with what it threw, and the reader gets the same when the results of the others are taken.
     *
     * <p>A reader that is itself a task of one of the strategies runs what nobody has started, as with a {@code map}. On a
     * thread that a stage needs and that serves many tasks, as an event loop, it must not wait: where it would have to, it
     * gets an {@link IllegalStateException}, and the rest is cancelled.
     *
     * @param strategy what runs the stages that have no strategy of their own
     * @param inputs what to begin with; closed with the returned stream
     * @param options order, deadline, window
     * @return the results
     * @throws IllegalArgumentException if a strategy does not take the workload of a stage, as one inside this JVM an
     *     isolated one
     * @throws IllegalStateException if a strategy that chooses finds none that takes the workload of a stage; the message
     *     names the Maven coordinates of one that does
     * @throws RejectedExecutionException if a strategy is closed
     */
    public Stream<Result<O>> map(ExecutorStrategy strategy, Stream<? extends I> inputs, MapOptions options) {
        Objects.requireNonNull(strategy, "strategy");
        List<PipelineRun.Stage> placed =
                stages.stream().map(stage -> stage.placed(strategy)).toList();
        return PipelineRun.stream(placed, inputs, options);
    }

    /**
     * {@link #map(ExecutorStrategy, Stream, MapOptions)} in the order of the inputs.
     *
     * @param strategy what runs the stages that have no strategy of their own
     * @param inputs what to begin with
     * @return the results
     */
    public Stream<Result<O>> map(ExecutorStrategy strategy, Stream<? extends I> inputs) {
        return map(strategy, inputs, MapOptions.ordered());
    }

    /**
     * {@link #map(ExecutorStrategy, Stream, MapOptions)} in the order of the inputs.
     *
     * @param strategy what runs the stages that have no strategy of their own
     * @param inputs what to begin with
     * @return the results
     */
    public Stream<Result<O>> map(ExecutorStrategy strategy, Iterable<? extends I> inputs) {
        return map(strategy, Inputs.lazily(inputs), MapOptions.ordered());
    }

    /**
     * {@link #map(ExecutorStrategy, Stream, MapOptions)} with each result as soon as it is there.
     *
     * @param strategy what runs the stages that have no strategy of their own
     * @param inputs what to begin with
     * @return the results
     */
    public Stream<Result<O>> mapUnordered(ExecutorStrategy strategy, Stream<? extends I> inputs) {
        return map(strategy, inputs, MapOptions.unordered());
    }

    /**
     * {@link #map(ExecutorStrategy, Stream, MapOptions)} with each result as soon as it is there.
     *
     * @param strategy what runs the stages that have no strategy of their own
     * @param inputs what to begin with
     * @return the results
     */
    public Stream<Result<O>> mapUnordered(ExecutorStrategy strategy, Iterable<? extends I> inputs) {
        return map(strategy, Inputs.lazily(inputs), MapOptions.unordered());
    }

    /**
     * Runs every stage for one input and waits for the result.
     *
     * @param strategy what runs the stages that have no strategy of their own
     * @param input what to begin with
     * @return the result. If the calling thread is interrupted while it waits, the present stage is cancelled, no further
     *     one begins, the result is a failure with a {@link CancellationException}, and the interrupt is kept
     * @throws IllegalArgumentException if a strategy does not take the workload of a stage
     * @throws IllegalStateException if a strategy that chooses finds none that takes the workload of a stage; the message
     *     names the Maven coordinates of one that does. Or if it would have to wait on a thread that a stage needs and that
     *     serves many tasks, as an event loop
     * @throws RejectedExecutionException if a strategy is closed
     */
    public Result<O> run(ExecutorStrategy strategy, I input) {
        try (Stream<Result<O>> results = map(strategy, Collections.singletonList(input))) {
            Iterator<Result<O>> only = results.iterator();
            return only.next();
        } catch (CancellationException e) {
            return Result.failure(e);
        }
    }

    @Override
    public String toString() {
        return stages.stream().map(Stage::toString).collect(Collectors.joining(", then ", "Pipeline[", "]"));
    }
}
