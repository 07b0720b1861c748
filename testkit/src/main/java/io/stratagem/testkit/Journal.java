package io.stratagem.testkit;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * What tasks say they did, wherever they run: a queue in this JVM; a copy that has travelled to another one appends to a
 * file. Entries of one JVM stand in their order.
 */
public final class Journal implements Serializable {
    private static final long serialVersionUID = 1;
    private static final String ENTER = "+";
    private static final String LEAVE = "-";

    private final String file;
    private final transient @Nullable Queue<String> here = new ConcurrentLinkedQueue<>();

    /**
     * Creates an empty journal.
     *
     * @param file does not exist yet; is made if an entry comes from another JVM
     */
    Journal(Path file) {
        this.file = file.toString();
    }

    /**
     * Adds an entry.
     *
     * @param entry one line
     */
    public void add(String entry) {
        if (here != null) {
            here.add(entry);
            return;
        }
        try {
            Files.writeString(Path.of(file), entry + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Notes that a task began; see {@link #inside} and {@link #peak}. */
    public void enter() {
        add(ENTER);
    }

    /** Notes that a task ended. */
    public void leave() {
        add(LEAVE);
    }

    /**
     * How many tasks have begun.
     *
     * @return calls of {@link #enter}
     */
    public long entered() {
        return count(ENTER);
    }

    /**
     * How many tasks have begun and not ended.
     *
     * @return calls of {@link #enter} less those of {@link #leave}
     */
    public long inside() {
        return count(ENTER) - count(LEAVE);
    }

    /**
     * The most tasks that ran at once.
     *
     * @return the largest number that have been inside
     */
    public int peak() {
        int inside = 0;
        int peak = 0;
        for (String entry : entries()) {
            if (entry.equals(ENTER)) {
                peak = Math.max(peak, ++inside);
            } else if (entry.equals(LEAVE)) {
                inside--;
            }
        }
        return peak;
    }

    /**
     * How often something was noted.
     *
     * @param entry what
     * @return its entries
     */
    public long count(String entry) {
        return entries().stream().filter(entry::equals).count();
    }

    /**
     * All entries so far.
     *
     * @return a copy
     */
    public List<String> entries() {
        List<String> all = new ArrayList<>();
        if (here != null) {
            all.addAll(here);
        }
        try {
            Path elsewhere = Path.of(file);
            if (Files.exists(elsewhere)) {
                all.addAll(Files.readAllLines(elsewhere));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all;
    }

    @Override
    public String toString() {
        return entries().toString();
    }
}
