package io.stratagem.benchmarks;

import java.util.List;

/** What came of looking for the means to run a {@link Program}. */
public sealed interface Launch {

    /** The program can run. */
    record Command(List<String> words) implements Launch {}

    /** Something is not installed here: the program is named and skipped. */
    record Missing(String what) implements Launch {}
}
