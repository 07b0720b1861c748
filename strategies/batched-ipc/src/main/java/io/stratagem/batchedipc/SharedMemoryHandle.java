package io.stratagem.batchedipc;

import io.stratagem.batchedipc.Passing.Location;
import io.stratagem.batchedipc.SharedMemoryFile.Contents;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.io.ObjectStreamException;
import java.io.Serializable;
import java.nio.file.InvalidPathException;
import java.util.UUID;

/**
 * What travels in the place of a {@link SharedArray}. It may have been changed or made up on its way: what it leads to is
 * mapped only if that is the very memory that it describes.
 *
 * @param process that has the file open
 * @param descriptor the file's number there, or -1
 * @param path the file's name where it has one, or empty
 * @param idHigh half of the number that also stands in the file
 * @param idLow the other half
 * @param type of the elements
 * @param length how many elements
 * @param isReadOnly whether they may only be read
 * @param receipt what who opens it is to leave in the file, or {@link #NO_RECEIPT}
 */
record SharedMemoryHandle(
        long process,
        int descriptor,
        String path,
        long idHigh,
        long idLow,
        SharedArray.Type type,
        long length,
        boolean isReadOnly,
        long receipt)
        implements Serializable {
    static final long NO_RECEIPT = 0;

    private static final long serialVersionUID = 1;

    @SuppressWarnings("ConstantValue") // null comes from streams
    SharedMemoryHandle {
        if (path == null || type == null || length < 0 || length > type.maxLength() || process < 0) {
            throw new IllegalArgumentException(
                    "not the handle of a shared array: " + length + " of " + type + " of process " + process);
        }
    }

    static SharedMemoryHandle of(Location location, Contents contents, boolean isReadOnly, long receipt) {
        return new SharedMemoryHandle(
                location.process(),
                location.descriptor(),
                location.path(),
                contents.id().getMostSignificantBits(),
                contents.id().getLeastSignificantBits(),
                contents.type(),
                contents.length(),
                isReadOnly,
                receipt);
    }

    /** As text, and as one of memory that may be written. */
    String format() {
        return process + ":" + descriptor + ":" + new UUID(idHigh, idLow) + ":" + type.name() + ":" + length + ":"
                + path;
    }

    /**
     * What {@link #format} has made.
     *
     * @throws IOException if it has not
     */
    static SharedMemoryHandle parse(String text) throws IOException {
        String[] parts = text.split(":", 6);
        try {
            UUID id = UUID.fromString(parts[2]);
            return new SharedMemoryHandle(
                    Long.parseLong(parts[0]),
                    Integer.parseInt(parts[1]),
                    parts[5],
                    id.getMostSignificantBits(),
                    id.getLeastSignificantBits(),
                    SharedArray.Type.valueOf(parts[3]),
                    Long.parseLong(parts[4]),
                    false,
                    NO_RECEIPT);
        } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
            throw new IOException("not the place of shared memory: " + text, e);
        }
    }

    Location location() {
        return new Location(process, descriptor, path);
    }

    Contents contents() {
        return new Contents(new UUID(idHigh, idLow), type, length);
    }

    private Object readResolve() throws ObjectStreamException {
        try {
            return new SharedArray(SharedMemory.open(this));
        } catch (IOException | InvalidPathException e) {
            InvalidObjectException failure = new InvalidObjectException("cannot open the shared array of " + contents()
                    + (descriptor < 0 ? " (" + path + ")" : " of process " + process)
                    + ": " + e.getMessage()
                    + ". Whoever passes an array must keep it open until the tasks that use it are done");
            failure.initCause(e);
            throw failure;
        }
    }
}
