package io.stratagem.benchmarks;

/**
 * Measures one contestant in a process of its own, which prints its figures as {@linkplain Sample metric lines} and
 * exits with zero, or with anything else if the work it measured gave a wrong result.
 *
 * <p>Equal programs are one program: it is run once a round and may give figures to several contests.
 */
public interface Program {

    /** How this program is started on that machine, or why it cannot be. */
    Launch launch(Machine machine, Effort effort);
}
