package io.stratagem.examples;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class WordCountTest {
    private static final String[] WORDS = {"Straße", "the", "THE", "naïve", "x1", "42", "日本", "\uD835\uDC00bc", "it's"};

    @TempDir
    Path directory;

    @Test
    void manyBatches_areCountedAsOne() throws IOException {
        String text = randomText(300_000, "\n");
        Path file = Files.writeString(directory.resolve("text"), text);
        Path result = directory.resolve("result");

        Outcome outcome = Outcome.of(WordCount::run, "--top", 3, "--out", result, file);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(counts(result)).isEqualTo(naiveCounts(text));
        assertThat(outcome.lines()).hasSize(4);
        assertThat(outcome.lines().get(1)).endsWith("  the");
    }

    @Test
    void oneLine_longerThanABatch_isCutBetweenWords() throws IOException {
        String text = randomText(100_000, " ");
        Path file = Files.writeString(directory.resolve("text"), text);
        Path result = directory.resolve("result");

        Outcome.of(WordCount::run, "--out=" + result, file);

        assertThat(counts(result)).isEqualTo(naiveCounts(text));
    }

    @Test
    void top_isByFrequencyThenByAlphabet() throws IOException {
        Path file = Files.writeString(directory.resolve("text"), "d c b a, B c! c");

        Outcome outcome = Outcome.of(WordCount::run, "--top", 3, file);

        assertThat(outcome.lines().get(0)).isEqualTo("7 words, 4 different");
        assertThat(outcome.lines().subList(1, 4)).map(String::strip).containsExactly("3  c", "2  b", "1  a");
    }

    @Test
    void result_isInAlphabeticalOrder() throws IOException {
        Path file = Files.writeString(directory.resolve("text"), "d c b a, B c! c");
        Path result = directory.resolve("result");

        Outcome.of(WordCount::run, "--out", result, file);

        assertThat(result).hasContent("a\t1\nb\t2\nc\t3\nd\t1\n");
    }

    @Test
    void directory_isCountedWhole_exceptWhatCannotBeRead() throws IOException {
        Files.writeString(directory.resolve("a"), "one two");
        Path nowhere = Files.createSymbolicLink(directory.resolve("b"), directory.resolve("missing"));
        Files.write(directory.resolve("c"), new byte[] {'t', 'w', 'o', ' ', (byte) 0xff, '\n'});

        Outcome outcome = Outcome.of(WordCount::run, directory);

        assertThat(outcome.lines().get(0)).isEqualTo("3 words, 2 different");
        assertThat(outcome.err()).isEqualTo("wordcount: " + nowhere + ": no such file" + System.lineSeparator());
        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
    }

    @Test
    void result_overAnInput_isRefused() throws IOException {
        Path file = Files.writeString(directory.resolve("text"), "one two");

        Outcome outcome = Outcome.of(WordCount::run, "--out", file, directory);

        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
        assertThat(outcome.err()).contains("would overwrite what it reads");
        assertThat(file).hasContent("one two");
    }

    @Test
    void result_thatCannotBeWritten_isRefusedAtOnce() throws IOException {
        Path file = Files.writeString(directory.resolve("text"), "one two");

        Outcome outcome = Outcome.of(WordCount::run, "--out", directory.resolve("missing/result"), file);

        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
        assertThat(outcome.err()).contains("cannot write to ");
        assertThat(outcome.out()).isEmpty();
    }

    @Test
    void top_thatIsNoNumber_isRefused() {
        assertThat(Outcome.of(WordCount::run, "--top", "few", directory).err())
                .contains("--top takes a positive number, not few");
        assertThat(Outcome.of(WordCount::run, directory, "--top").err()).contains("--top needs a value");
        assertThat(Outcome.of(WordCount::run, "--top=0", directory).exitCode()).isEqualTo(Cli.USAGE);
    }

    @Test
    void top_ofMoreThanThereAre_isAll() throws IOException {
        Path file = Files.writeString(directory.resolve("text"), "one two two");

        Outcome outcome = Outcome.of(WordCount::run, "--top", 2_000_000_000, file);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.lines()).map(String::strip).containsExactly("3 words, 2 different", "2  two", "1  one");
    }

    @Test
    void top_ofNoWords_isEmpty() throws IOException {
        Path file = Files.writeString(directory.resolve("text"), "...");

        assertThat(Outcome.of(WordCount::run, file).lines()).containsExactly("0 words, 0 different");
    }

    @Test
    void result_overAReadOnlyFile_isRefusedAtOnce() throws IOException {
        Path file = Files.writeString(directory.resolve("text"), "one two");
        Path result = Files.writeString(directory.resolve("result"), "kept");
        assumeTrue(result.toFile().setReadOnly() && !Files.isWritable(result), "this user may write to every file");

        Outcome outcome = Outcome.of(WordCount::run, "--out", result, file);

        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
        assertThat(outcome.err()).contains("cannot write to " + result);
        assertThat(outcome.out()).isEmpty();
    }

    private static String randomText(int words, String separator) {
        Random random = new Random(1);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < words; i++) {
            text.append(WORDS[random.nextInt(WORDS.length)]).append(random.nextInt(5) == 0 ? separator : ", ");
        }
        return text.toString();
    }

    private static Map<String, Long> naiveCounts(String text) {
        return Pattern.compile("[\\p{L}\\p{Nd}]+")
                .matcher(text)
                .results()
                .map(MatchResult::group)
                .collect(groupingBy(word -> word.toLowerCase(Locale.ROOT), TreeMap::new, counting()));
    }

    private static Map<String, Long> counts(Path result) throws IOException {
        Map<String, Long> counts = new TreeMap<>();
        for (String line : Files.readAllLines(result)) {
            String[] wordAndCount = line.split("\t", -1);
            counts.put(wordAndCount[0], Long.valueOf(wordAndCount[1]));
        }
        return counts;
    }
}
