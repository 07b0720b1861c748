package io.stratagem.testkit;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** Finds threads that outlive what they worked for. */
public final class ThreadLeaks {
    private ThreadLeaks() {}

    /**
     * The platform threads alive whose names begin so.
     *
     * @param prefix how the names begin
     * @return their names
     */
    public static List<String> named(String prefix) {
        var threads = ManagementFactory.getThreadMXBean();
        return Arrays.stream(threads.getThreadInfo(threads.getAllThreadIds()))
                .filter(Objects::nonNull)
                .map(ThreadInfo::getThreadName)
                .filter(name -> name.startsWith(prefix))
                .toList();
    }

    /**
     * Waits until no platform thread is left whose name begins so.
     *
     * @param prefix how the names begin
     */
    public static void awaitNone(String prefix) {
        Patience.await().alias("no thread named " + prefix + "… is left").until(() -> named(prefix), List::isEmpty);
    }
}
