package io.stratagem.processpool;

import io.stratagem.TransferException;

/** An input that was serialised by the thread that submitted it. Immutable. */
final class PackedCommand {
    private final byte[] bytes;

    /**
     * Serialises a command.
     *
     * @param what describes it in messages
     * @throws TransferException if that fails, or takes too many bytes
     */
    PackedCommand(Codec codec, Object command, int maxBytes, String what) {
        Bytes packed = new Bytes(maxBytes);
        codec.write(packed, command, what);
        bytes = packed.toByteArray();
    }

    /**
     * Puts what the codec would have put.
     *
     * @throws TransferException if there is no room
     */
    void putTo(Bytes out, String what) {
        try {
            out.putBytes(bytes, 0, bytes.length);
        } catch (Bytes.TooLargeException e) {
            throw Diagnosis.ofWriting(what, null, e);
        }
    }

    @Override
    public String toString() {
        return "a command of " + bytes.length + " bytes";
    }
}
