package io.stratagem.processpool.spi;

import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** All that is hosted in this JVM. The ids cannot be guessed: who knows one has been given it. Any thread may use it. */
public final class Hosts {
    private static final Map<UUID, Hosted> ALL = new ConcurrentHashMap<>();

    private Hosts() {}

    /**
     * Lets workers ask.
     *
     * @param hosted what they may ask; is kept alive until it is removed
     * @return by what they name it
     */
    public static UUID add(Hosted hosted) {
        UUID id = UUID.randomUUID();
        ALL.put(id, hosted);
        return id;
    }

    /**
     * Finds what has been added and not been removed.
     *
     * @param id any
     * @return what it is the id of, or null
     */
    public static @Nullable Hosted find(UUID id) {
        return ALL.get(id);
    }

    /**
     * Ends that workers may ask. Those who wait must be answered by who removes it.
     *
     * @param id which has been added
     */
    public static void remove(UUID id) {
        ALL.remove(id);
    }
}
