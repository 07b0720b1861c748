package io.stratagem.benchmarks;

/** A contestant was fast but wrong. */
public final class WrongResultException extends Exception {

    private static final long serialVersionUID = 1L;

    public WrongResultException(String message) {
        super(message);
    }

    /** Throws if a figure is not what it must be. */
    public static void check(String what, long expected, long actual) throws WrongResultException {
        if (expected != actual) {
            throw new WrongResultException(what + ": " + actual + " instead of " + expected);
        }
    }
}
