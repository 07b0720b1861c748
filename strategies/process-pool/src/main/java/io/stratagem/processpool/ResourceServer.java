package io.stratagem.processpool;

import io.stratagem.processpool.Bytes.TooLargeException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers what a worker asks of the application's class loaders. Nothing is loaded or defined here, and nothing is given
 * but what {@link ClassLoader#getResource} of a loader finds that tasks were submitted with. Not for several threads.
 */
final class ResourceServer {
    private static final Logger log = LoggerFactory.getLogger(ProcessPoolStrategy.class);
    private static final int LONGEST_NAME = 1 << 16;
    private static final int MOST_ENTRIES = 10_000;

    /** A loader that loads from a host would take such a name for a URL, and look at whatever that names. */
    private static final Pattern URL_SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*:");

    private final LoaderTable loaders;
    private final Map<String, String> originals;
    private final Bytes answer;

    /**
     * Serves one worker.
     *
     * @param originals for what URLs begin with at the worker, what they begin with here
     */
    ResourceServer(LoaderTable loaders, Map<String, String> originals, int maxFrame) {
        this.loaders = loaders;
        this.originals = originals;
        this.answer = new Bytes(maxFrame);
    }

    /**
     * Reads a question, and gives the answer, with room for its length before it.
     *
     * @throws Bytes.MalformedException if it is none
     */
    Bytes answer(Bytes question) {
        int number = question.getInt();
        int loaderNumber = question.getInt();
        boolean forAll = question.getByte() != 0;
        String name = question.getString();
        int count = question.getCount(1);
        List<String> known = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            known.add(original(question.getString()));
        }
        ClassLoader loader = loaders.loader(loaderNumber);
        begin(number);
        int countAt = answer.size();
        try {
            putEntries(loader == null || !isName(name) ? List.of() : find(loader, name, forAll), known);
        } catch (TooLargeException e) {
            log.warn("Workers cannot get the resource {}: {}", name, e.getMessage());
            answer.truncate(countAt);
            answer.putVarInt(0);
        }
        return answer;
    }

    private void begin(int number) {
        answer.clear();
        answer.putInt(0);
        answer.putInt(number);
    }

    private String original(String url) {
        for (Map.Entry<String, String> each : originals.entrySet()) {
            if (url.startsWith(each.getKey())) {
                return each.getValue() + url.substring(each.getKey().length());
            }
        }
        return url;
    }

    /** Whether it is the name of a resource, and no way out of where resources are. */
    private static boolean isName(String name) {
        return !name.isEmpty()
                && name.length() <= LONGEST_NAME
                && name.charAt(0) != '/'
                && name.indexOf('\\') < 0
                && name.indexOf('\0') < 0
                && !URL_SCHEME.matcher(name).lookingAt()
                && !Arrays.asList(name.split("/")).contains("..");
    }

    private static List<URL> find(ClassLoader loader, String name, boolean forAll) {
        try {
            if (forAll) {
                List<URL> all = Collections.list(loader.getResources(name));
                return all.subList(0, Math.min(MOST_ENTRIES, all.size()));
            }
            URL first = loader.getResource(name);
            return first == null ? List.of() : List.of(first);
        } catch (IOException | RuntimeException | LinkageError | StackOverflowError e) {
            log.debug("{} failed to find {}", loader.getClass(), name, e);
            return List.of();
        }
    }

    private void putEntries(List<URL> urls, List<String> known) {
        List<URL> readable = new ArrayList<>();
        List<byte @Nullable []> contents = new ArrayList<>();
        for (URL url : urls) {
            boolean mustBeRead = !known.contains(url.toString()) && !isFile(url.toString());
            byte[] bytes = mustBeRead ? read(url) : null;
            if (!mustBeRead || bytes != null) {
                readable.add(url);
                contents.add(bytes);
            }
        }
        answer.putVarInt(readable.size());
        for (int i = 0; i < readable.size(); i++) {
            putEntry(readable.get(i).toString(), contents.get(i), known);
        }
    }

    private void putEntry(String url, byte @Nullable [] contents, List<String> known) {
        int knownAt = known.indexOf(url);
        if (contents != null) {
            answer.putByte(Frames.CONTENTS);
            answer.putString(url);
            answer.putVarInt(contents.length);
            answer.putBytes(contents, 0, contents.length);
        } else if (knownAt >= 0) {
            answer.putByte(Frames.KNOWN);
            answer.putVarInt(knownAt);
        } else {
            answer.putByte(Frames.FILE);
            answer.putString(url);
        }
    }

    /** Whether any JVM of this machine can read it: a file, or in a jar that is one. */
    private static boolean isFile(String url) {
        return url.startsWith("file:/") || (url.startsWith("jar:file:/") && url.indexOf("!/") == url.lastIndexOf("!/"));
    }

    private byte @Nullable [] read(URL url) {
        int limit = answer.maxSize() - answer.size();
        byte[] bytes;
        try (InputStream stream = url.openStream()) {
            bytes = stream.readNBytes(limit);
        } catch (IOException | RuntimeException | LinkageError | StackOverflowError e) {
            log.debug("{} cannot be read", url, e);
            return null;
        }
        if (bytes.length == limit) {
            throw new TooLargeException(limit);
        }
        return bytes;
    }
}
