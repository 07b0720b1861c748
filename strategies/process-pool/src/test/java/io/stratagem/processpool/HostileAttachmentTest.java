package io.stratagem.processpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.stratagem.Result;
import io.stratagem.TransferException;
import io.stratagem.WorkerDiedException;
import io.stratagem.Workload;
import io.stratagem.processpool.spi.Wire;
import java.io.IOException;
import java.io.Serializable;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the application takes of a worker that sends beside its frames what it should not. */
final class HostileAttachmentTest extends WorkerFixture {
    private static final int LIMIT = 1 << 20;
    private static final int LEAST = Attachment.LEAST_BYTES;

    private final LogRecorder log = new LogRecorder();

    @BeforeEach
    void record() {
        log.attach(ProcessPoolStrategy.class.getName());
    }

    @AfterEach
    void recordNoMore() {
        log.detach();
    }

    private interface Sending extends Serializable {
        void send() throws IOException;
    }

    private static <T> T get(Class<T> type, Object owner, String field) {
        try {
            Field declared = owner.getClass().getDeclaredField(field);
            declared.setAccessible(true);
            return type.cast(declared.get(owner));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Link link() {
        return get(Link.class, Outbox.present(), "link");
    }

    private static void send(byte kind, Consumer<Bytes> contents) throws IOException {
        Bytes frame = Link.frame(new Bytes(), kind);
        contents.accept(frame);
        link().send(frame);
    }

    /** Says that something of that form, and of so many bytes, comes. */
    private static void announce(int form, int bytes) throws IOException {
        send(Frames.ATTACHMENT, frame -> {
            frame.putByte(form);
            frame.putInt(bytes);
        });
    }

    private static int form(Tag tag) {
        Bytes bytes = new Bytes();
        tag.put(bytes);
        return bytes.getByte();
    }

    private static void sendPiece(int bytes) throws IOException {
        Wire wire = get(Wire.class, link(), "wire");
        if (wire != null) {
            ByteBuffer room = wire.reserve(bytes);
            while (room == null) {
                Thread.onSpinWait();
                room = wire.reserve(bytes);
            }
            wire.commit();
            wire.publish();
            if (wire.mustWake()) {
                get(SocketChannel.class, link(), "channel").write(ByteBuffer.allocate(1));
            }
        }
    }

    private static void sendWhole(Tag tag, int bytes) throws IOException {
        announce(form(tag), bytes);
        for (int sent = 0; sent < bytes; sent += 1 << 12) {
            sendPiece(1 << 12);
        }
    }

    private static void sendOutcome(Consumer<Bytes> value) throws IOException {
        send(Frames.RESULTS, frame -> {
            frame.putLong(get(Long.class, Outbox.present(), "batch"));
            frame.putInt(0);
            frame.putLong(1_000);
            frame.putInt(1);
            frame.putByte(Frames.VALUE);
            int lengthAt = frame.beginLength();
            value.accept(frame);
            frame.endLength(lengthAt);
        });
    }

    private static void putReference(Bytes frame, int index) {
        Tag.ATTACHED.put(frame);
        frame.putVarInt(index);
    }

    // ---------------------------------------------------------------------------------------------- nonsense

    /** What can be read by no rule. */
    enum Nonsense {
        NOTHING_SAID(() -> send(Frames.ATTACHMENT, frame -> {})),
        UNKNOWN_FORM(() -> announce(-1, LEAST)),
        NO_ARRAY(() -> announce(form(Tag.STRING), LEAST)),
        BOOLEANS(() -> announce(form(Tag.BOOLEANS), LEAST)),
        TOO_SMALL(() -> announce(form(Tag.BYTES), LEAST - 1)),
        NEGATIVE(() -> announce(form(Tag.BYTES), -1)),
        BROKEN_ELEMENT(() -> announce(form(Tag.LONGS), LEAST + 4)),
        BEYOND_THE_LIMIT(() -> announce(form(Tag.BYTES), LIMIT + PoolSettings.MARGIN_BYTES + 1)),
        MEMORY_OUTSIDE_THE_HEAP_BEYOND_THE_LIMIT(() -> announce(form(Tag.BUFFER), Integer.MAX_VALUE)),
        TOGETHER_BEYOND_THE_LIMIT(() -> {
            for (int i = 0; i < 3; i++) {
                sendWhole(Tag.BYTES, LIMIT);
            }
        }),
        TOO_LONG_A_PIECE(() -> {
            announce(form(Tag.BYTES), LEAST);
            sendPiece(1 << 12);
            sendPiece(1 << 12);
            sendPiece(1 << 12);
            sendPiece((1 << 12) + 8);
        }),
        HALF_AN_ELEMENT(() -> {
            announce(form(Tag.LONGS), LEAST);
            sendPiece(12);
        }),
        MESSAGE_OF_MANY_RECORDS_IN_PLACE_OF_A_PIECE(() -> {
            announce(form(Tag.BYTES), LIMIT);
            send(Frames.RESULTS, frame -> frame.extend(LIMIT));
        }),
        FRAME_IN_PLACE_OF_A_PIECE(() -> {
            announce(form(Tag.LONGS), LEAST);
            send(Frames.STARTED, frame -> frame.putByte(1));
        });

        @SuppressWarnings("ImmutableEnumChecker") // a function without state
        private final Sending sending;

        Nonsense(Sending sending) {
            this.sending = sending;
        }
    }

    @ParameterizedTest
    @EnumSource
    void nonsense_besideAFrame_isTheEndOfItsWorkerAndOfNobodyElse(Nonsense nonsense) {
        WorkerProcessStrategy pool = pool(1, options -> options.maxMessageBytes(LIMIT));
        long pid = pool.run(PID, 0).orElseThrow();

        Result<Integer> result = pool.run(
                Workload.blocking("sending", input -> {
                    input.sending.send();
                    while (true) {
                        LockSupport.park(); // it does not go by itself
                    }
                }),
                nonsense);

        assertThat(causeOf(result)).isInstanceOf(WorkerDiedException.class);
        awaitGone(pid);
        log.await("pid " + pid + ") sent what cannot be read");
        assertUsable(pool);
    }

    // ---------------------------------------------------------------------------------------------- the end

    /** Where a worker ends that sends something beside a frame. */
    enum End {
        BEFORE_ANY_PIECE(() -> announce(form(Tag.BYTES), LIMIT)),
        BETWEEN_PIECES(() -> {
            announce(form(Tag.DOUBLES), LIMIT);
            sendPiece(1 << 12);
        }),
        BEFORE_THE_FRAME(() -> sendWhole(Tag.BYTES, LIMIT)),
        BEFORE_THE_NEXT(() -> {
            sendWhole(Tag.BYTES, LIMIT / 4);
            announce(form(Tag.INTS), LIMIT / 4);
        });

        @SuppressWarnings("ImmutableEnumChecker") // a function without state
        private final Sending sending;

        End(Sending sending) {
            this.sending = sending;
        }
    }

    @ParameterizedTest
    @EnumSource
    void worker_thatEndsInTheMiddle_losesItsTaskOnly(End end) {
        assumeTrue(System.getProperty(UNDER_TEST) != null, "else nothing travels beside frames");
        WorkerProcessStrategy pool = pool(1, options -> options.maxMessageBytes(LIMIT));

        Result<Integer> result = pool.run(
                Workload.blocking("ending", input -> {
                    input.sending.send();
                    Runtime.getRuntime().halt(9);
                    return 0;
                }),
                end);

        assertThat(causeOf(result))
                .isInstanceOfSatisfying(
                        WorkerDiedException.class,
                        died -> assertThat(died.exitCode()).isEqualTo(9));
        assertUsable(pool);
    }

    // ---------------------------------------------------------------------------------------------- references

    /** A value that refers to what is not there. */
    enum Reference {
        NOTHING_BESIDE(() -> sendOutcome(frame -> putReference(frame, 0))),
        NEGATIVE(() -> {
            sendWhole(Tag.BYTES, LEAST);
            sendOutcome(frame -> putReference(frame, -1));
        }),
        BEYOND(() -> {
            sendWhole(Tag.BYTES, LEAST);
            sendOutcome(frame -> putReference(frame, 1));
        }),
        TWICE(() -> {
            sendWhole(Tag.BYTES, LEAST);
            sendOutcome(frame -> {
                Tag.ARRAY_LIST.put(frame);
                frame.putVarInt(2);
                putReference(frame, 0);
                putReference(frame, 0);
            });
        }),
        BUFFER_AS_ARRAY(() -> {
            sendWhole(Tag.BUFFER, LEAST);
            sendOutcome(frame -> putReference(frame, 0));
        }),
        ARRAY_AS_DIRECT_BUFFER(() -> {
            sendWhole(Tag.BYTES, LEAST);
            sendOutcome(frame -> {
                Tag.BUFFER.put(frame);
                frame.putByte(ValueWriter.DIRECT | ValueWriter.BESIDE);
                frame.putVarInt(0);
            });
        }),
        OTHER_ARRAY_AS_BUFFER(() -> {
            sendWhole(Tag.LONGS, LEAST);
            sendOutcome(frame -> {
                Tag.BUFFER.put(frame);
                frame.putByte(ValueWriter.BESIDE);
                frame.putVarInt(0);
            });
        });

        @SuppressWarnings("ImmutableEnumChecker") // a function without state
        private final Sending sending;

        Reference(Sending sending) {
            this.sending = sending;
        }
    }

    @ParameterizedTest
    @EnumSource
    void reference_toWhatIsNotThere_failsItsTaskOnly(Reference reference) {
        assumeTrue(System.getProperty(UNDER_TEST) != null, "else nothing travels beside frames");
        WorkerProcessStrategy pool = pool(1);

        Result<Integer> result = pool.run(
                Workload.blocking("referring", input -> {
                    input.sending.send();
                    while (true) {
                        LockSupport.park(); // it is over, and this worker is not needed
                    }
                }),
                reference);

        assertThat(causeOf(result)).isInstanceOf(TransferException.class).hasMessageContaining("malformed bytes");
        pool.closeNow();
    }
}
