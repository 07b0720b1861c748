package io.stratagem.examples;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** How busy other programs keep the CPUs while something is measured: a speed-up suffers from it. */
final class OtherPrograms {
    private static final double NOTABLE = 0.1;

    private final OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    /** Begins to watch. */
    OtherPrograms() {
        share();
    }

    /** Says so if they were notable since the last call. */
    void report(Cli cli) {
        double share = share();
        if (share > NOTABLE) {
            cli.println("");
            cli.println("Other programs had " + Math.round(100 * share)
                    + " % of the CPUs meanwhile; without them it is faster.");
        }
    }

    private double share() {
        return system.getCpuLoad() - system.getProcessCpuLoad(); // both since the last call
    }
}
