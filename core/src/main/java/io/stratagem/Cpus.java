package io.stratagem;

import static com.google.common.base.Preconditions.checkArgument;

/** How many CPUs there are: what the JVM says, which knows quotas and affinity, unless a system property overrides it. */
final class Cpus {
    private Cpus() {}

    static int count() {
        String override = System.getProperty(Stratagem.CPUS_PROPERTY);
        if (override == null) {
            return Runtime.getRuntime().availableProcessors();
        }
        try {
            int cpus = Integer.parseInt(override.trim());
            checkArgument(cpus > 0);
            return cpus;
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "system property " + Stratagem.CPUS_PROPERTY + " must be a positive number: '" + override + "'", e);
        }
    }
}
