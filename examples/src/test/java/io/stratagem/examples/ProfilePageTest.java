package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.stratagem.Kind;
import io.stratagem.WorkloadProfile;
import io.stratagem.WorkloadProfile.Figures;
import io.stratagem.WorkloadProfile.Row;
import java.io.StringReader;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

/** That a profile's page is what it says, whatever the work is called. Here, since this module may read XML. */
final class ProfilePageTest {
    private static final String HOSTILE = "<b>&\"'\u0001%s]]>\uD800";
    private static final String SHOWN = "<b>&\"'\uFFFD%s]]>\uFFFD";
    private static final int PLOTS = 4;

    @Test
    void html_hostileNames_isWellFormed() throws Exception {
        WorkloadProfile profile = profile(List.of(measured(HOSTILE, 12.5), unmeasured()));

        Document page = parse(profile.html());

        assertThat(page.getElementsByTagName("h1").item(0).getTextContent()).isEqualTo(SHOWN);
        assertThat(page.getElementsByTagName("title").item(0).getTextContent()).isEqualTo("Profile of " + SHOWN);
        assertThat(page.getElementsByTagName("script").getLength()).isZero();
        assertThat(page.getElementsByTagName("b").getLength()).isZero();
        assertThat(page.getElementsByTagName("svg").getLength()).isEqualTo(PLOTS);
        assertThat(page.getElementsByTagName("tbody").item(0).getTextContent())
                .contains(SHOWN, "<script>alert(1)</script>", "12.5");
        assertThat(profile.html()).doesNotContain("src=", "href=", "url(", "@import");
    }

    @Test
    void html_nothingMeasured_isWellFormed() throws Exception {
        Document page = parse(profile(List.of(unmeasured())).html());

        assertThat(page.getElementsByTagName("svg").getLength()).isZero();
        assertThat(page.getElementsByTagName("td").getLength()).isEqualTo(2);
    }

    @Test
    void html_extremeFigures_haveFiniteCoordinates() throws Exception {
        WorkloadProfile profile = profile(List.of(measured("none", 0), measured("many", 1e12)));

        parse(profile.html());
        assertThat(profile.html()).doesNotContain("NaN", "Infinity", "'-");
    }

    private static WorkloadProfile profile(List<Row> rows) {
        return new WorkloadProfile(
                HOSTILE,
                Kind.COMPUTE,
                false,
                Optional.of(HOSTILE),
                "Take " + HOSTILE,
                List.of(HOSTILE),
                List.of(HOSTILE),
                OptionalDouble.of(0.96),
                rows,
                HOSTILE);
    }

    private static Row measured(String name, double tasksPerSecond) {
        Figures figures = new Figures(
                3,
                1,
                tasksPerSecond,
                Optional.of(Duration.ZERO),
                Optional.of(Duration.ofDays(1)),
                OptionalDouble.of(0),
                0,
                0,
                OptionalDouble.empty(),
                OptionalLong.empty(),
                Duration.ZERO);
        return new Row(name, Optional.of(figures), "the first failure: <script>alert(1)</script>");
    }

    private static Row unmeasured() {
        return new Row("process pool", Optional.empty(), HOSTILE);
    }

    private static Document parse(String page) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(page)));
    }
}
