package io.stratagem.benchmarks;

/** A program exited with an error, took too long, or printed no figures. */
final class ProgramFailedException extends Exception {

    private static final long serialVersionUID = 1L;

    ProgramFailedException(String message) {
        super(message);
    }
}
