package io.stratagem;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ChoiceTest {
    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r", "\u0085", "\u2028", "\u2029", "\u001b", "\u009b", "\0"})
    void explain_controlCharacterInNames_staysOnItsLine(String character) {
        String name = "a" + character + "b";
        List<String> sentence = List.of("it is " + name);

        Choice choice = new Choice(name, name, sentence, sentence, sentence);

        assertThat(choice).hasToString("a b -> a b");
        assertThat(choice.explain()).isEqualTo("a b -> a b\n  because it is a b\n  or it is a b\n  warning: it is a b");
    }
}
