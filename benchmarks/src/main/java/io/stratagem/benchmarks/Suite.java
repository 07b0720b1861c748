package io.stratagem.benchmarks;

import java.util.List;

/** Contests that are run in one go by {@code benchmarks/compare NAME}. */
public interface Suite {

    /** What a user types, and the first word of every row. */
    String name();

    /** One line for the list of suites. */
    String about();

    /** What is measured, in the order of the rows. */
    List<Contest> contests();
}
