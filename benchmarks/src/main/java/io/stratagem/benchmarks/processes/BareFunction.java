package io.stratagem.benchmarks.processes;

import java.nio.ByteBuffer;

/** What a {@link BareProcess} does with a frame. */
enum BareFunction {
    /** An integer to one more, in frames as large as ours for one task. */
    INCREMENT {
        @Override
        void apply(ByteBuffer request, ByteBuffer answer) {
            answer.putInt(request.getInt() + 1).position(ANSWER_BYTES);
        }
    },

    /** Numbers to ones and zeros. */
    PRIMES {
        @Override
        void apply(ByteBuffer request, ByteBuffer answer) {
            while (request.hasRemaining()) {
                answer.put((byte) (Primes.isPrime(request.getLong()) ? 1 : 0));
            }
        }
    };

    /* What strace sees of ours for one task from an integer to an integer: each one frame, its length included. */
    static final int REQUEST_BYTES = 36;
    static final int ANSWER_BYTES = 33;

    abstract void apply(ByteBuffer request, ByteBuffer answer);
}
