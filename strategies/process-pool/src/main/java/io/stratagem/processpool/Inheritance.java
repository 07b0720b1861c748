package io.stratagem.processpool;

import io.stratagem.Stratagem;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TimeZone;

/** What a worker process has from the application's JVM, and what it must not have. */
/* A process has the environment, the working directory, the user and the limits of the one that starts it, and of its
 * open files only what it is given. A JVM has nothing more from another: neither command line nor system properties. Here
 * it gets what decides what a function computes, so that it is the same on both sides: default charset, locale, time zone;
 * and its share of the CPUs, since each worker would count on all of them.
 */
final class Inheritance {
    /** Variables from which JVMs take options: a debugger, an agent, a port. They are meant for this one. */
    private static final Set<String> OPTION_VARIABLES =
            Set.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "OPENJ9_JAVA_OPTIONS", "IBM_JAVA_OPTIONS");

    private Inheritance() {}

    /** Takes out of a worker's environment what would give it options of this JVM. */
    static void removeOptions(Map<String, String> environment) {
        // On Windows names may be written in any case.
        for (String name : List.copyOf(environment.keySet())) {
            if (OPTION_VARIABLES.contains(name.toUpperCase(Locale.ROOT))) {
                environment.remove(name);
            }
        }
    }

    /** Options that give a worker this JVM's defaults, as they are now. */
    static List<String> defaults() {
        List<String> options = new ArrayList<>();
        options.add("-Dfile.encoding=" + Charset.defaultCharset().name());
        for (String stream : List.of("stdout", "stderr")) {
            options.add("-D" + stream + ".encoding=" + WorkerOutput.CHARSET);
            options.add("-Dsun." + stream + ".encoding=" + WorkerOutput.CHARSET); // before JDK 19
        }
        options.add("-Duser.timezone=" + TimeZone.getDefault().getID());
        Locale main = Locale.getDefault();
        addLocale(options, "", main);
        for (Locale.Category category : Locale.Category.values()) {
            Locale locale = Locale.getDefault(category);
            if (!locale.equals(main)) {
                addLocale(options, "." + category.name().toLowerCase(Locale.ROOT), locale);
            }
        }
        return options;
    }

    /** Options that have a worker's own threads count on so many CPUs. */
    static List<String> cpus(int share) {
        // Who waits for the common pool computes, too; and it is as large as this where there is one CPU.
        int common = Math.max(1, share - 1);
        return List.of(
                "-D" + Stratagem.CPUS_PROPERTY + "=" + share,
                "-Djava.util.concurrent.ForkJoinPool.common.parallelism=" + common);
    }

    private static void addLocale(List<String> options, String category, Locale locale) {
        options.add("-Duser.language" + category + "=" + locale.getLanguage());
        options.add("-Duser.script" + category + "=" + locale.getScript());
        options.add("-Duser.country" + category + "=" + locale.getCountry());
        options.add("-Duser.variant" + category + "=" + locale.getVariant());
    }
}
