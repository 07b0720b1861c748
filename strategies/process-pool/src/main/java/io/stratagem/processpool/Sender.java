package io.stratagem.processpool;

import com.google.common.collect.Lists;
import io.stratagem.TransferException;
import io.stratagem.processpool.LoaderTable.Values;
import io.stratagem.processpool.UserCode.AbandonedException;
import io.stratagem.processpool.WorkerDriver.PoolWorker;
import io.stratagem.processpool.WorkloadTable.Defined;
import io.stratagem.spi.Batch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Claims tasks and sends them to a worker. Whatever happens, core hears of each that was claimed: here, if it could not be
 * sent, else from what is {@link AtWorker}. For who has the driver's turn.
 */
/* That the same thread receives cannot get it stuck: a batch is sent while others are at the worker only if it is small
 * enough for the buffers of the connection, as they are. Before a larger one all that they send is received, so that the
 * worker waits for it.
 */
final class Sender {
    /** So many lone tasks are gathered in a frame, if they take no longer than that. */
    private static final int MOST_GATHERED = 256;

    private static final long GATHERED_NANOS = 500_000;

    private final ProcessEngine engine;
    private final PoolWorker worker;
    private final AtWorker atWorker;
    private final Receiver receiver;
    private final UserCode.Watch watch;
    private final BatchWriter writer;

    Sender(ProcessEngine engine, PoolWorker worker, AtWorker atWorker, Receiver receiver, UserCode.Watch watch) {
        this.engine = engine;
        this.worker = worker;
        this.atWorker = atWorker;
        this.receiver = receiver;
        this.watch = watch;
        this.writer = new BatchWriter(engine);
    }

    /** Sends a batch; if it is of one short task, with others of that kind that wait behind it. */
    void sendWithOthers(WorkerProcess process, Batch first) throws IOException {
        int most = mostGathered(process, first);
        send(process, most > 1 ? engine.gather(first, most) : List.of(first));
    }

    /** How many tasks like this one may be sent in a frame: as many as are done in a moment; 1 if that is not known. */
    private int mostGathered(WorkerProcess process, Batch first) {
        if (!atWorker.wasShort() || !engine.isToBeGathered(first)) {
            return 1;
        }
        Defined workload = process.workloads().find(first.workload(), first.contextClassLoader());
        if (workload == null || !atWorker.wasShort(workload.number())) {
            return 1;
        }
        long most = Math.min(MOST_GATHERED, atWorker.doneWithin(GATHERED_NANOS));
        return (int) Math.min(most, process.wear().tasksLeft());
    }

    /** Sends a batch, or several of one task each, but for what somebody else has. */
    void send(WorkerProcess process, List<Batch> given) throws IOException {
        UserCode code = watch.begin(given.get(0)); // before it can be stopped
        List<Batch> batches = given;
        @Nullable Object @Nullable [] inputs = null;
        if (given.size() == 1) {
            inputs = given.get(0).claim(worker);
        } else {
            batches = new ArrayList<>(given.size());
            inputs = claim(given, batches);
        }
        if (inputs == null) {
            watch.end();
            return;
        }
        try {
            send(process, batches, inputs, code);
        } catch (AbandonedException e) {
            throw e;
        } catch (IOException | Bytes.MalformedException e) { // of the connection, and not of this batch
            if (!atWorker.endsWith(batches)) {
                Lists.reverse(batches).forEach(this::giveBack); // the last is the first to be run
            }
            throw e;
        } catch (Bytes.TooLargeException e) { // by what surrounds the inputs: each of those is sent or fails
            String what =
                    "MDC and context of workload '" + batches.get(0).workload().name() + "'";
            fail(batches, Diagnosis.ofWriting(what, null, e));
        } catch (RuntimeException | Error e) {
            fail(batches, e);
            throw e;
        } finally {
            watch.end();
        }
    }

    /** Claims tasks; gives the inputs of those that were free, or null if there were none, and adds their batches. */
    private @Nullable Object @Nullable [] claim(List<Batch> given, List<Batch> claimed) {
        @Nullable Object[] inputs = new @Nullable Object[given.size()];
        for (Batch each : given) {
            @Nullable Object[] input = each.claim(worker);
            if (input != null) {
                inputs[claimed.size()] = input[0];
                claimed.add(each);
            }
        }
        return claimed.isEmpty() ? null : Arrays.copyOf(inputs, claimed.size());
    }

    /** No worker has heard of it. */
    void giveBack(Batch batch) {
        if (engine.isClosedNow()) {
            fail(List.of(batch), new CancellationException(engine.settings().closedMessage()));
        } else {
            batch.notRun(0);
        }
    }

    private static void fail(List<Batch> batches, Throwable cause) {
        for (Batch each : batches) {
            int size = each.size();
            for (int i = 0; i < size; i++) {
                each.failed(i, cause);
            }
        }
    }

    private void send(WorkerProcess process, List<Batch> batches, @Nullable Object[] inputs, UserCode code)
            throws IOException {
        Batch batch = batches.get(0); // what is not an input is the same in all
        Defined workload = process.workloads().find(batch.workload(), batch.contextClassLoader());
        if (workload != null) {
            send(process, workload, batches, inputs, code);
            return;
        }
        try {
            workload = writer.define(process, batch.workload(), batch.contextClassLoader(), code);
        } catch (TransferException e) {
            fail(batches, e);
            return;
        }
        try {
            send(process, workload, batches, inputs, code);
        } finally {
            if (writer.hasDefinition()) { // the worker has not heard of it
                process.workloads().remove(workload);
                writer.dropDefinition();
            }
        }
    }

    private void send(
            WorkerProcess process, Defined workload, List<Batch> batches, @Nullable Object[] inputs, UserCode code)
            throws IOException {
        Batch batch = batches.get(0);
        Values values;
        try {
            values = process.loaders().valuesOf(workload.values());
            worker.driver().setContextClassLoader(values.loader());
            writer.writeContexts(batch.captured(), code);
        } catch (TransferException e) {
            fail(batches, e);
            return;
        }
        long id = atWorker.nextId();
        process.page().prepare(id);
        boolean mayAttach = process.link().canAttach();
        Sent sent = writer.write(id, workload, values, batches, inputs, mayAttach, code);
        if (sent.size() < inputs.length) {
            batch.notRun(sent.size()); // gathered ones are small, and so is what goes with them
        }
        int count = sent.countSent();
        if (count == 0) {
            sent.skipUnsent();
            return;
        }
        atWorker.add(sent); // from here on who stops a task finds it
        // The worker reads this when it has done the others, and it cannot do those while nobody reads what it sends.
        while (writer.weight() >= AtWorker.SMALL_BYTES && atWorker.first() != sent) {
            receiver.receive(process);
        }
        // What was stopped before is not sent, or taken back.
        if (sent.isDone()) {
            atWorker.removeLast();
            sent.notRun();
            writer.dropBatch();
            return;
        }
        sent.revokeDone(process.page());
        process.wear().sent(count);
        writer.sendTo(process.link());
    }
}
