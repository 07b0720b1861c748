package io.stratagem.batchedipc;

import io.stratagem.benchmarks.Trial;
import io.stratagem.benchmarks.WrongResultException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Takes records out of a ring that another process fills all the time. One operation is one record. */
public abstract class RingRecords implements Trial {

    private final RecordRing.Kind kind;
    private RecordRing ring;
    private Process sender;
    private int records;
    private long next;
    private long sum;

    RingRecords(RecordRing.Kind kind) {
        this.kind = kind;
    }

    /** Ours. */
    public static final class OnStratagem extends RingRecords {
        OnStratagem() {
            super(RecordRing.Kind.STRATAGEM);
        }
    }

    /** Agrona's {@code OneToOneRingBuffer}. */
    public static final class OnAgrona extends RingRecords {
        OnAgrona() {
            super(RecordRing.Kind.AGRONA);
        }
    }

    @Override
    public void prepare(String metric, int size) throws IOException {
        records = size;
        ring = kind.create();
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of(
                "-cp", System.getProperty("java.class.path"), RingSender.class.getName(), kind.name(), ring.place()));
        sender = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    @Override
    public void pass() {
        sum = ring.take(records);
    }

    /** Each number came once: their sum is that of the next ones. */
    @Override
    public void verify() throws WrongResultException {
        long expected = records * next + records * (records - 1L) / 2;
        if (sum != expected) {
            throw new WrongResultException("sum of the numbers " + sum + " in place of " + expected);
        }
        next += records;
    }

    @Override
    public long operations() {
        return records;
    }

    @Override
    public void close() {
        if (sender != null) {
            sender.destroyForcibly();
        }
        try {
            ring.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
