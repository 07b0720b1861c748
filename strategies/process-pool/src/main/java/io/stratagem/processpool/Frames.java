package io.stratagem.processpool;

/** The kinds of frames. None needs a class of the user's to be parsed. */
final class Frames {
    /* To the worker. */

    /** number of the class loader, function of the initializer. */
    static final byte INITIALIZE = 1;

    /** id, numbers of the class loaders for context and values, kind of workload, name, function. */
    static final byte DEFINE = 2;

    /** batch, id of the workload, flags, MDC, contexts, inputs. */
    static final byte BATCH = 3;

    /** nothing: end in good order. */
    static final byte BYE = 4;

    /** number of a class loader, whether the class path comes first, numbers of loaders that are gone. */
    static final byte LOADER = 5;

    /* From the worker. */

    /** token. */
    static final byte HELLO = 17;

    /** failure, or nothing: ready for batches. */
    static final byte READY = 18;

    /** batch, index, nanoseconds ago. */
    static final byte STARTED = 19;

    /** batch, first index, nanoseconds since the batch began, number, outcomes. */
    static final byte RESULTS = 20;

    /** level, logger, message, thread, MDC, failure. */
    static final byte LOG = 21;

    /** number, number of the class loader, whether all are wanted, name of the resource, URLs known. */
    static final byte QUESTION = 22;

    /** number, number of the class loader, id of what is hosted, operation, whether it may wait, arguments. */
    static final byte ASK = 23;

    /** number of what was asked, and is to wait no longer. */
    static final byte WITHDRAW = 24;

    /* In both directions, where there is a wire. */

    /** tag, number of elements: the pieces of it come next, and then the same or the frame that refers to it. */
    static final byte ATTACHMENT = 32;

    /* Answers are no frames: length, number of the question, entries or a verdict. */

    /** The answer to what was asked: value. */
    static final byte ANSWER = 0;

    /** The exception that is the answer. */
    static final byte FAILURE = 1;

    /** Nothing has been done. */
    static final byte WITHDRAWN = 2;

    /** Several values: how many, and each with its length. */
    static final byte ANSWERS = 3;

    /* Entries of answers about classes. */

    /** index of the URL known. */
    static final byte KNOWN = 0;

    /** URL that any process can open. */
    static final byte FILE = 1;

    /** URL, bytes. */
    static final byte CONTENTS = 2;

    /* Flags of a batch. */

    /** The start of each task is to be reported at once. */
    static final byte REPORT_STARTS = 1;

    /** The inputs are a {@link Column}; else each has its length before it. */
    static final byte COLUMN = 2;

    /* Outcomes. */

    static final byte VALUE = 0;
    static final byte THROWN = 1;

    /** Taken back before it began. */
    static final byte REVOKED = 2;

    /** Tag, number, and so many values: a {@link Column}, the outcomes of as many tasks. */
    static final byte VALUES = 3;

    /** In place of the length of an input that was not sent. */
    static final int NOT_SENT = -1;

    private Frames() {}
}
