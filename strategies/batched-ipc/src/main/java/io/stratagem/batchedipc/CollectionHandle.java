package io.stratagem.batchedipc;

import io.stratagem.processpool.spi.HostLine;
import io.stratagem.processpool.spi.Hosts;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What travels in the place of a {@link SharedMap} or a {@link SharedQueue}. It may have been changed or made up on its
 * way: it leads to what has the id, if that is of the kind, and to nothing else.
 */
/* No record: those do not take the stream that is read here, which knows the way back. */
final class CollectionHandle implements Serializable {
    private static final long serialVersionUID = 1;

    private final boolean isMap;
    private final long idHigh;
    private final long idLow;
    private transient @Nullable HostLine line;

    private CollectionHandle(boolean isMap, UUID id) {
        this.isMap = isMap;
        this.idHigh = id.getMostSignificantBits();
        this.idLow = id.getLeastSignificantBits();
    }

    static CollectionHandle ofMap(UUID id) {
        return new CollectionHandle(true, id);
    }

    static CollectionHandle ofQueue(UUID id) {
        return new CollectionHandle(false, id);
    }

    private UUID id() {
        return new UUID(idHigh, idLow);
    }

    private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
        in.defaultReadObject();
        if (in instanceof HostLine.Source source) {
            line = source.hostLine(id(), isMap ? MapHost.CONTENTS : QueueHost.CONTENTS);
        }
    }

    private Object readResolve() throws InvalidObjectException {
        if (Hosts.find(id()) instanceof Host host) {
            Object owner = host.owner();
            if (owner != null && (isMap ? owner instanceof SharedMap : owner instanceof SharedQueue)) {
                return owner;
            }
        } else if (line != null) {
            Access access = Access.over(line, id());
            return isMap ? new SharedMap<>(access) : new SharedQueue<>(access);
        }
        throw new InvalidObjectException("the handle of a " + (isMap ? "SharedMap" : "SharedQueue")
                + " leads to none: it can be read in a worker process, in what a task gets, and where the collection"
                + " was made, as long as that is open and kept");
    }
}
