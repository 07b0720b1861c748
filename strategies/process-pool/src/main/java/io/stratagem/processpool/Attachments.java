package io.stratagem.processpool;

import io.stratagem.processpool.Bytes.MalformedException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What travels beside one frame, whose bytes refer to it by index. The index is written, and not implied by the order:
 * values that nobody reads do not shift those of others. Not for several threads at once.
 */
final class Attachments {
    private final List<@Nullable Attachment> all = new ArrayList<>();

    /** Where in the frame each is referred to; only of what is sent. */
    private final List<Integer> places = new ArrayList<>();

    private int bytes;

    /** How many bytes of contents they have together. */
    int bytes() {
        return bytes;
    }

    /** Adds one, to which the frame refers at that place; gives its index. */
    int add(Attachment attachment, int place) {
        all.add(attachment);
        places.add(place);
        bytes += attachment.bytes();
        return all.size() - 1;
    }

    /** Removes those that the frame refers to from that place on. */
    void truncate(int place) {
        for (int last = all.size() - 1; last >= 0 && places.get(last) >= place; last--) {
            bytes -= get(last).bytes();
            all.remove(last);
            places.remove(last);
        }
    }

    int size() {
        return all.size();
    }

    Attachment get(int index) {
        Attachment attachment = index < 0 || index >= all.size() ? null : all.get(index);
        if (attachment == null) {
            throw new MalformedException(
                    "there is nothing beside the frame with the number " + index + ", or it has been taken");
        }
        return attachment;
    }

    /** The one with that index, which then is the caller's. */
    Attachment take(int index) {
        Attachment attachment = get(index);
        all.set(index, null);
        return attachment;
    }
}
