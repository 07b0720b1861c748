package io.stratagem.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Locale.ROOT;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreeScanner;
import java.io.IOException;
import java.io.Serializable;
import java.net.URI;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/**
 * What is in some text: of Java by the JDK's compiler, whose memory and stack one had better not share, of Markdown by its
 * headings and links, of others by their lines.
 */
record Outline(
        String language, int files, int bytes, int lines, int types, int methods, int headings, int links, int errors)
        implements Serializable {
    static final String JAVA = "Java";
    static final String MARKDOWN = "Markdown";
    static final String OTHER = "other";

    private static final Pattern HEADING = Pattern.compile("#{1,6} .*");
    private static final Pattern FENCE = Pattern.compile(" {0,3}```.*");
    private static final Pattern LINK = Pattern.compile("\\[[^\\]]*\\]\\([^)]+\\)");

    /** A file's name, and what is in it, on its way to a worker. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares sources
    record Source(String name, byte[] content) implements Serializable {}

    static Outline of(Source source) throws IOException {
        String text = new String(source.content, UTF_8);
        String name = source.name.toLowerCase(ROOT);
        if (name.endsWith(".java")) {
            return ofJava(text, source.content.length);
        }
        if (name.endsWith(".md")) {
            return ofMarkdown(text, source.content.length);
        }
        return empty(OTHER).plus(text, source.content.length);
    }

    static Outline empty(String language) {
        return new Outline(language, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    Outline plus(Outline other) {
        return new Outline(
                language,
                files + other.files,
                bytes + other.bytes,
                lines + other.lines,
                types + other.types,
                methods + other.methods,
                headings + other.headings,
                links + other.links,
                errors + other.errors);
    }

    private Outline plus(String text, int size) {
        return plus(new Outline(language, 1, size, (int) text.lines().count(), 0, 0, 0, 0, 0));
    }

    private static Outline ofJava(String text, int size) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler == null) {
            throw new IOException("this Java has no compiler: take a JDK");
        }
        DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
        JavaFileObject file =
                new SimpleJavaFileObject(URI.create("string:///Source.java"), JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return text;
                    }
                };
        JavacTask task =
                (JavacTask) compiler.getTask(null, null, diagnostics, List.of("-proc:none"), null, List.of(file));
        Declarations declarations = new Declarations();
        task.parse().forEach(unit -> unit.accept(declarations, null));
        int wrong =
                diagnostics.getDiagnostics().stream().anyMatch(each -> each.getKind() == Diagnostic.Kind.ERROR) ? 1 : 0;
        return empty(JAVA)
                .plus(text, size)
                .plus(new Outline(JAVA, 0, 0, 0, declarations.types, declarations.methods, 0, 0, wrong));
    }

    private static final class Declarations extends TreeScanner<@Nullable Void, @Nullable Void> {
        private int types;
        private int methods;

        @Override
        public @Nullable Void visitClass(ClassTree tree, @Nullable Void nothing) {
            types++;
            return super.visitClass(tree, null);
        }

        @Override
        public @Nullable Void visitMethod(MethodTree tree, @Nullable Void nothing) {
            methods++;
            return super.visitMethod(tree, null);
        }
    }

    private static Outline ofMarkdown(String text, int size) {
        int headings = 0;
        int links = 0;
        boolean isCode = false;
        for (String line : text.lines().toList()) {
            if (FENCE.matcher(line).matches()) {
                isCode = !isCode;
            } else if (!isCode) {
                headings += HEADING.matcher(line).matches() ? 1 : 0;
                Matcher link = LINK.matcher(line);
                while (link.find()) {
                    links++;
                }
            }
        }
        return empty(MARKDOWN).plus(text, size).plus(new Outline(MARKDOWN, 0, 0, 0, 0, 0, headings, links, 0));
    }
}
