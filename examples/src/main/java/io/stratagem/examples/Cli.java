package io.stratagem.examples;

import io.stratagem.WorkerDiedException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What an example was called with, where it prints, and the problems that decide its exit code. */
final class Cli {
    static final int ALL_DONE = 0;
    /** Some of the input, or all of it, could not be used; a line each says why. The rest was done. */
    static final int PROBLEMS = 1;
    /** The arguments make no sense. Nothing was done. */
    static final int USAGE = 2;

    /** An example. */
    interface Program {
        void run(Cli cli) throws Exception;
    }

    /** Ends an example with a message. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1;
        private final int exitCode;

        private Refused(int exitCode, String message) {
            super(message);
            this.exitCode = exitCode;
        }
    }

    private final String name;
    private final List<String> arguments;
    private final PrintStream out;
    private final PrintStream err;
    private int problems;

    private Cli(String name, String[] arguments, PrintStream out, PrintStream err) {
        this.name = name;
        this.arguments = new ArrayList<>(List.of(arguments));
        this.out = out;
        this.err = err;
    }

    /** Runs an example, or prints its help, and gives its exit code. */
    static int run(String name, String help, String[] arguments, PrintStream out, PrintStream err, Program program) {
        Cli cli = new Cli(name, arguments, out, err);
        if (cli.flag("--help") || cli.flag("-h")) {
            out.print(help);
            return ALL_DONE;
        }
        try {
            program.run(cli);
        } catch (Refused e) {
            err.println(name + ": " + e.getMessage());
            if (e.exitCode == USAGE) {
                err.println("Try: examples/run " + name + " --help");
            }
            return e.exitCode;
        } catch (IOException | UncheckedIOException e) {
            cli.problem(e);
        } catch (Exception e) {
            cli.problem(e);
            e.printStackTrace(err);
        }
        return cli.problems == 0 ? ALL_DONE : PROBLEMS;
    }

    PrintStream out() {
        return out;
    }

    void println(String line) {
        out.println(line);
    }

    /** Whether an option without a value was given. Ask for options before operands. */
    boolean flag(String option) {
        return arguments.remove(option);
    }

    /** The value of an option, from {@code --option VALUE} or {@code --option=VALUE}. */
    Optional<String> option(String option) throws Refused {
        for (int i = 0; i < arguments.size(); i++) {
            if (arguments.get(i).startsWith(option + "=")) {
                return Optional.of(arguments.remove(i).substring(option.length() + 1));
            }
            if (arguments.get(i).equals(option)) {
                arguments.remove(i);
                if (i == arguments.size()) {
                    throw usage(option + " needs a value");
                }
                return Optional.of(arguments.remove(i));
            }
        }
        return Optional.empty();
    }

    /** Whether an option with a value was given, which is still to be asked for. */
    boolean isGiven(String option) {
        return arguments.stream().anyMatch(argument -> argument.equals(option) || argument.startsWith(option + "="));
    }

    /** The value of an option that takes a positive number. */
    int number(String option, int byDefault) throws Refused {
        long number = longNumber(option, byDefault);
        if (number > Integer.MAX_VALUE) {
            throw notPositive(option, String.valueOf(number));
        }
        return (int) number;
    }

    /** The value of an option that takes a large positive number. */
    long longNumber(String option, long byDefault) throws Refused {
        String value = option(option).orElse(String.valueOf(byDefault));
        try {
            long number = Long.parseLong(value);
            if (number > 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // refused below, like zero
        }
        throw notPositive(option, value);
    }

    /** The value of an option that takes a positive number, up to a limit. */
    int atMost(int most, String option, int byDefault) throws Refused {
        long number = longNumber(option, byDefault);
        if (number > most) {
            throw usage(option + " takes at most " + most + ", not " + number);
        }
        return (int) number;
    }

    /** The value of an option that takes a number of seconds, which may have a fraction. */
    Duration seconds(BigDecimal least, BigDecimal most, String option, BigDecimal byDefault) throws Refused {
        String value = option(option).orElse(byDefault.toPlainString());
        BigDecimal seconds;
        try {
            seconds = new BigDecimal(value);
        } catch (NumberFormatException e) {
            throw notPositive(option, value);
        }
        if (seconds.compareTo(least) < 0) {
            throw usage(option + " takes at least " + least + ", not " + value);
        }
        if (seconds.compareTo(most) > 0) {
            throw usage(option + " takes at most " + most + ", not " + value);
        }
        return Duration.ofNanos(seconds.movePointRight(9).longValue());
    }

    private Refused notPositive(String option, String value) {
        return usage(option + " takes a positive number, not " + value);
    }

    /** The next operand, if there is one. */
    Optional<String> operand() throws Refused {
        if (arguments.isEmpty()) {
            return Optional.empty();
        }
        String first = arguments.remove(0);
        if (first.length() > 1 && first.startsWith("-")) {
            throw usage("unknown option " + first);
        }
        return Optional.of(first);
    }

    /** The last operand, which must be there. */
    Path lastPath(String what) throws Refused {
        Optional<String> path = operand();
        end();
        return Path.of(path.orElseThrow(() -> usage(what + " is missing")));
    }

    /** Checks that nothing is left of the arguments. */
    void end() throws Refused {
        Optional<String> more = operand();
        if (more.isPresent()) {
            throw usage("one argument too many: " + more.get());
        }
    }

    /** Something of the input cannot be used. The example goes on, but will not end with {@link #ALL_DONE}. */
    void problem(Path path, Throwable cause) {
        problem(path + ": " + describe(cause));
    }

    /** Something went wrong; which file it has to do with, if any, is for the cause to say. */
    void problem(Throwable cause) {
        if (cause instanceof UncheckedIOException e && e.getCause() != null) {
            problem(e.getCause());
        } else if (cause instanceof FileSystemException e && e.getFile() != null) {
            problem(Path.of(e.getFile()), cause);
        } else {
            problem(describe(cause));
        }
    }

    private void problem(String message) {
        problems++;
        err.println(name + ": " + message);
    }

    int problems() {
        return problems;
    }

    Refused usage(String message) {
        return new Refused(USAGE, message);
    }

    /** The input is of no use at all. */
    static Refused refused(String message) {
        return new Refused(PROBLEMS, message);
    }

    static void requireDirectory(Path path) throws Refused {
        if (!Files.exists(path)) {
            throw refused("no such directory: " + path);
        }
        if (!Files.isDirectory(path)) {
            throw refused("not a directory: " + path);
        }
    }

    /** Finds out before the long work, not after it. */
    static void requireWritable(Path target) throws Refused {
        Path directory = target.toAbsolutePath().getParent();
        boolean isWritable = Files.exists(target)
                ? !Files.isDirectory(target) && Files.isWritable(target)
                : directory != null && Files.isWritable(directory);
        if (!isWritable) {
            throw refused("cannot write to " + target);
        }
    }

    /** A failure in one line: without what a worker printed last. */
    static String inOneLine(Throwable cause) {
        return cause.toString().lines().findFirst().orElseThrow().replace("; it printed last:", "");
    }

    private static String describe(Throwable cause) {
        if (cause instanceof NoSuchFileException) {
            return "no such file";
        }
        if (cause instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (cause instanceof FileSystemException e && e.getReason() != null) {
            return e.getReason();
        }
        if (cause instanceof UncheckedIOException e && e.getCause() != null) {
            return describe(e.getCause());
        }
        if (cause instanceof WorkerDiedException) {
            return inOneLine(cause);
        }
        return cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }
}
