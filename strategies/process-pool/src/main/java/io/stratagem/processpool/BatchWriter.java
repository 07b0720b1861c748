package io.stratagem.processpool;

import io.stratagem.ContextPropagator.Captured;
import io.stratagem.TransferException;
import io.stratagem.Workload;
import io.stratagem.processpool.LoaderTable.Slot;
import io.stratagem.processpool.LoaderTable.Values;
import io.stratagem.processpool.WorkloadTable.Defined;
import io.stratagem.spi.Batch;
import io.stratagem.spi.Clock;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The frames that tasks leave in: that of a batch, and before it that of its workload, if the worker does not know it. To
 * write them may run the application's code, which {@link UserCode} is told. For who has the driver's turn.
 */
final class BatchWriter {
    /**
     * A batch whose frame has become so large is sent as it is; the rest goes with another. So there is always room for
     * a value of the greatest size.
     */
    private static final int FULL_BYTES = PoolSettings.MARGIN_BYTES / 2;

    /**
     * The same with what is beside the frame, which costs a copy and no buffer. So large that the way there and back
     * is a small part of the time; and little enough for the worker to hold.
     */
    private static final int FULL_BESIDE_BYTES = 1 << 23;

    private final Codec codec;
    private final SerializedFunctions functions;
    private final Clock clock;
    private final Bytes frame;
    private final Bytes contexts = new Bytes();

    /** A workload that goes with the next batch: what kills a worker that receives it is accused with that. Else empty. */
    private final Bytes definition;

    BatchWriter(ProcessEngine engine) {
        int maxFrameBytes = engine.settings().maxFrameBytes();
        this.codec = engine.codec();
        this.functions = engine.functions();
        this.clock = engine.clock();
        this.frame = new Bytes(maxFrameBytes);
        this.definition = new Bytes(maxFrameBytes);
    }

    static String inputOf(Workload<?, ?> workload) {
        return "input of workload '" + workload.name() + "'";
    }

    static String functionOf(Workload<?, ?> workload) {
        return "function of workload '" + workload.name() + "'";
    }

    // ---------------------------------------------------------------------------------------------- workload, context

    /**
     * Writes a workload, which goes with the next batch.
     *
     * @throws TransferException if its function cannot be serialised
     * @throws IOException if the worker cannot be told of its class loader
     */
    Defined define(WorkerProcess receiver, Workload<?, ?> workload, @Nullable ClassLoader context, UserCode code)
            throws IOException {
        ClassLoader loader = LoaderTable.choose(context, workload.functionClass());
        Slot values = receiver.nameLoader(loader);
        Slot contextSlot = context == null ? values : receiver.nameLoader(context);
        Defined defined = receiver.workloads().add(workload, context, values);
        try {
            Link.frame(definition, Frames.DEFINE);
            definition.putInt(defined.number());
            definition.putInt(contextSlot.number());
            definition.putInt(values.number());
            code.enter(UserCode.ALL);
            try {
                functions.write(definition, workload);
            } finally {
                code.leave(UserCode.ALL);
            }
        } catch (RuntimeException e) {
            receiver.workloads().remove(defined);
            definition.clear();
            throw e instanceof Bytes.TooLargeException ? Diagnosis.ofWriting(functionOf(workload), null, e) : e;
        }
        return defined;
    }

    /** Whether there is a workload that has not been sent. */
    boolean hasDefinition() {
        return definition.size() > 0;
    }

    void dropDefinition() {
        definition.clear();
    }

    /**
     * Writes what the tasks have of who submitted them, for the next batch.
     *
     * @throws TransferException if it cannot be serialised
     */
    void writeContexts(List<Captured> captured, UserCode code) {
        contexts.clear();
        for (Captured each : captured) {
            int lengthAt = contexts.beginLength();
            code.enter(UserCode.ALL);
            try {
                codec.write(contexts, each, "captured context");
            } finally {
                code.leave(UserCode.ALL);
            }
            contexts.endLength(lengthAt);
        }
    }

    // ---------------------------------------------------------------------------------------------- the batch

    /**
     * Writes tasks until the frame is full. An input that cannot be serialised is left out and noted.
     *
     * @param batches one, or several of one task each
     * @param inputs of all of them; what has been written is not kept
     * @param mayAttach whether large arrays may go beside the frame
     */
    Sent write(
            long id,
            Defined workload,
            Values values,
            List<Batch> batches,
            @Nullable Object[] inputs,
            boolean mayAttach,
            UserCode code) {
        Batch batch = batches.get(0); // what is not an input is the same in all
        Link.frame(frame, Frames.BATCH);
        frame.putLong(id);
        frame.putInt(workload.number());
        Tag column = inputs.length > 1 ? Column.tagOf(inputs) : null;
        frame.putByte((batch.wantsStarts() ? Frames.REPORT_STARTS : 0) | (column != null ? Frames.COLUMN : 0));
        putMdc(batch.mdc());
        frame.putInt(contexts.size());
        frame.putBytes(contexts.array(), 0, contexts.size());
        if (mayAttach) {
            frame.beginAttaching();
        }
        int sizeAt = frame.size();
        frame.putInt(0);
        @Nullable TransferException @Nullable [] unsent = null;
        int size = 0;
        boolean isCommand = inputs[0] instanceof PackedCommand;
        String what = inputOf(batch.workload());
        if (column != null) { // for which there is always room
            putColumn(column, inputs);
            size = inputs.length;
        }
        while (size < inputs.length && (size == 0 || hasRoom())) {
            int weight = frame.weight();
            boolean mayWait = weight >= FULL_BYTES;
            int lengthAt = frame.beginLength();
            try {
                putInput(inputs[size], size, what, code);
                frame.endLength(lengthAt);
                if (size > 0 && fillsAFrame(lengthAt, weight)) {
                    frame.truncate(lengthAt);
                    break;
                }
            } catch (TransferException e) {
                if (mayWait) { // it may be too large for what is left, and not too large
                    frame.truncate(lengthAt);
                    break;
                }
                frame.setInt(lengthAt, Frames.NOT_SENT);
                if (unsent == null) {
                    unsent = new @Nullable TransferException[inputs.length];
                }
                unsent[size] = e;
            }
            inputs[size++] = null;
        }
        frame.setInt(sizeAt, size);
        int bytes = (int) Math.min(Integer.MAX_VALUE, (long) definition.size() + frame.weight());
        return new Sent(id, batches, workload.number(), values, size, bytes, isCommand, unsent, clock.nanoTime());
    }

    private void putMdc(Map<String, String> mdc) {
        frame.putVarInt(mdc.size());
        for (Map.Entry<String, String> entry : mdc.entrySet()) {
            frame.putString(entry.getKey());
            frame.putString(String.valueOf(entry.getValue()));
        }
    }

    private void putColumn(Tag tag, @Nullable Object[] inputs) {
        tag.put(frame);
        for (int i = 0; i < inputs.length; i++) {
            Column.put(frame, tag, Objects.requireNonNull(inputs[i]));
            inputs[i] = null;
        }
    }

    private void putInput(@Nullable Object input, int index, String what, UserCode code) {
        if (Tag.ofValue(input).isPlain()) {
            codec.write(frame, input, what);
            return;
        }
        code.enter(index);
        try {
            if (input instanceof PackedCommand packed) {
                packed.putTo(frame, what);
            } else {
                codec.write(frame, input, what);
            }
        } finally {
            code.leave(index);
        }
    }

    /**
     * Whether the input put last is so large that it goes alone: if the worker has no room for it, it is known which it
     * was.
     */
    private boolean fillsAFrame(int start, int weightBefore) {
        return frame.size() - start >= FULL_BYTES || frame.weight() - weightBefore >= FULL_BESIDE_BYTES;
    }

    /** Whether the frame may have another input. */
    private boolean hasRoom() {
        return frame.size() < FULL_BYTES && frame.weight() < FULL_BESIDE_BYTES;
    }

    // ---------------------------------------------------------------------------------------------- on the way

    /** How much room the batch takes, with what is beside its frame. */
    int weight() {
        return frame.weight();
    }

    /** Sends the workload, if there is one, and the batch. */
    void sendTo(Link link) throws IOException {
        if (hasDefinition()) {
            link.send(definition);
            definition.clear();
        }
        link.send(frame);
        frame.clear(); // a large batch must not leave a large buffer behind for ever
    }

    /** The batch is not sent after all. */
    void dropBatch() {
        frame.clear();
    }
}
