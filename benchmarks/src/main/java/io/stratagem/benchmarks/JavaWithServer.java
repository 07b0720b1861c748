package io.stratagem.benchmarks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A Java program that measures a server in another language, which it starts itself: it has the words for that from
 * {@link #words}.
 *
 * @param client the Java program
 * @param language of the server
 * @param source its file
 * @param arguments what it is to be called with
 */
public record JavaWithServer(JavaProgram client, Language language, String source, List<String> arguments)
        implements Program {

    /** Of servers. */
    enum Language {
        C,
        PYTHON
    }

    private static final String PROPERTY = "stratagem.benchmarks.server";

    /** One in C: the words are the compiler and the source. */
    public static JavaWithServer inC(JavaProgram client, String source) {
        return new JavaWithServer(client, Language.C, source, List.of());
    }

    /** One in Python, which needs the standard library: the words are a command. */
    public static JavaWithServer inPython(JavaProgram client, String source, String... arguments) {
        return new JavaWithServer(client, Language.PYTHON, source, List.of(arguments));
    }

    /** In the Java program: how to start the server. */
    public static List<String> words() {
        return List.of(System.getProperty(PROPERTY, "").split("\n"));
    }

    @Override
    public Launch launch(Machine machine, Effort effort) {
        Optional<List<String>> words = words(machine);
        if (words.isEmpty()) {
            return new Launch.Missing(
                    language == Language.C ? "no C compiler (cc) is installed" : "python3 is not installed");
        }
        Launch launch = client.launch(machine, effort);
        if (!(launch instanceof Launch.Command command)) {
            return launch;
        }
        List<String> all = new ArrayList<>(command.words());
        all.add(1, "-D" + property(words.get()));
        return new Launch.Command(all);
    }

    /** What {@link #words} is to give, or nothing if something is missing here. */
    Optional<List<String>> words(Machine machine) {
        if (language == Language.C) {
            Path file = machine.cPrograms().resolve(source);
            return machine.cCompiler().map(compiler -> List.of(compiler.toString(), file.toString()));
        }
        Path script = machine.scripts().resolve(source);
        return machine.python(List.of())
                .map(python -> Stream.concat(
                                Stream.of(python.executable().toString(), "-B", script.toString()), arguments.stream())
                        .toList());
    }

    /** The system property, as {@code name=value}, that makes {@link #words} give these. */
    static String property(List<String> words) {
        return PROPERTY + "=" + String.join("\n", words);
    }
}
