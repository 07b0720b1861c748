package io.stratagem.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RenderTest {
    private static final String SUCCESS =
            "  %s: %d x %d, \\S+ k?B -> %d x %d, \\S+ k?B, in \\S+ m?s by \\S+-worker-\\d";

    @TempDir
    Path directory;

    @Test
    void ownPictures_fareAsTheyMust() throws IOException {
        Outcome outcome = Outcome.of(Render::run);

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.lines()).hasSize(10);
        assertThat(outcome.lines().get(0))
                .isEqualTo("8 pictures, each in a process with a heap of 128 MB, for 10 s at most");
        assertThat(outcome.lines().get(1)).matches(success("sunrise.jpg", 4000, 3000, 320, 240));
        assertThat(outcome.lines().get(3))
                .startsWith("  bomb.png: io.stratagem.WorkerDiedException")
                .contains("ran out of memory and ended itself", "'render'");
        assertThat(outcome.lines().get(5))
                .startsWith("  endless.jpg: io.stratagem.TaskTimeoutException")
                .contains("its worker is killed");
        assertThat(outcome.lines().get(7)).startsWith("  truncated.png: javax.imageio.IIOException");
        assertThat(outcome.lines().get(8)).matches(success("icon.png", 64, 64, 64, 64));
        assertThat(outcome.lines().get(9))
                .startsWith(
                        "5 scaled, 1 failed, 1 worker lost to OutOfMemoryError, 1 worker killed at the timeout, in ");
        assertNothingLeftBehind();
    }

    @Test
    void directory_isScaled_intoAnother() throws IOException {
        Path pictures = Files.createDirectories(directory.resolve("pictures/deeper"));
        paintHalves(1000, 600, "jpg", directory.resolve("pictures/wide.JPG"));
        paintHalves(400, 2000, "png", pictures.resolve("high.png"));
        paintHalves(60, 40, "gif", pictures.resolve("small.gif"));
        Files.writeString(pictures.resolve("note.txt"), "no picture");
        Path out = directory.resolve("out");

        Outcome outcome = Outcome.of(Render::run, "--width", 100, "--out", out, directory.resolve("pictures"));

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.lines()).hasSize(6).last().isEqualTo("The thumbnails are in " + out);
        assertThat(outcome.lines().get(1)).matches(success("deeper/high.png", 400, 2000, 20, 100));
        assertThat(outcome.lines().get(2)).matches(success("deeper/small.gif", 60, 40, 60, 40));
        assertThat(outcome.lines().get(3)).matches(success("wide.JPG", 1000, 600, 100, 60));
        assertHalves(100, 60, out.resolve("wide.JPG.png"));
        assertHalves(20, 100, out.resolve("deeper/high.png.png"));
        assertHalves(60, 40, out.resolve("deeper/small.gif.png"));
    }

    @Test
    void badPictures_areNamed_andTheOthersAreDone() throws IOException {
        Path bomb = directory.resolve("bomb.png");
        HostileImages.writeMemoryBomb(bomb, 20_000, 200);
        paintHalves(640, 640, "png", directory.resolve("good.png"));
        Path nowhere = Files.createSymbolicLink(directory.resolve("nowhere.png"), directory.resolve("missing"));
        Path text = Files.writeString(directory.resolve("text.gif"), "no picture");

        Outcome outcome = Outcome.of(Render::run, directory);

        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
        assertThat(outcome.lines()).hasSize(3);
        assertThat(outcome.lines().get(1)).matches(success("good.png", 640, 640, 320, 320));
        assertThat(outcome.lines().get(2)).startsWith("1 scaled, 2 failed, 1 worker lost to OutOfMemoryError, in ");
        assertThat(outcome.err())
                .hasLineCount(3)
                .contains("render: " + bomb + ": io.stratagem.WorkerDiedException", "ran out of memory")
                .contains("render: " + nowhere + ": no such file\n")
                .contains("render: " + text + ": not an image");
    }

    @Test
    void bombs_areValidImages() throws IOException {
        Path png = directory.resolve("bomb.png");
        Path jpg = directory.resolve("endless.jpg");

        HostileImages.writeMemoryBomb(png, 70, 3);
        HostileImages.writeTimeBomb(jpg, 2);

        BufferedImage black = ImageIO.read(png.toFile());
        assertThat(black.getWidth()).isEqualTo(70);
        assertThat(black.getHeight()).isEqualTo(300);
        assertThat(new Color(black.getRGB(69, 299))).isEqualTo(Color.BLACK);
        BufferedImage grey = ImageIO.read(jpg.toFile());
        assertThat(grey.getWidth()).isEqualTo(4096);
        assertThat(grey.getHeight()).isEqualTo(4096);
        assertThat(grey.getRaster().getSample(4095, 4095, 0)).isEqualTo(128);
    }

    @Test
    void directoryWithoutPictures_isRefused() throws IOException {
        Files.writeString(directory.resolve("note.txt"), "no picture");

        Outcome outcome = Outcome.of(Render::run, directory);

        assertThat(outcome.err())
                .startsWith("render: no pictures in " + directory)
                .contains("png");
        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
    }

    @Test
    void picturesOfTheSameName_areRefused() throws IOException {
        Path one = Files.createFile(directory.resolve("picture.png"));
        Path other = Files.createFile(
                Files.createDirectory(directory.resolve("other")).resolve("picture.png"));

        Outcome outcome = Outcome.of(Render::run, one, other);

        assertThat(outcome.err()).contains(one.toString(), other.toString(), "same name");
        assertThat(outcome.exitCode()).isEqualTo(Cli.PROBLEMS);
    }

    @Test
    void outThatIsNotEmpty_isRefused() throws IOException {
        Path picture = Files.createFile(directory.resolve("picture.png"));

        Outcome intoDirectory = Outcome.of(Render::run, "--out", directory, picture);
        Outcome intoFile = Outcome.of(Render::run, "--out", picture, picture);

        assertThat(intoDirectory.err()).contains("not empty: " + directory);
        assertThat(intoDirectory.exitCode()).isEqualTo(Cli.PROBLEMS);
        assertThat(intoFile.err()).contains("cannot write to " + picture);
        assertThat(intoFile.exitCode()).isEqualTo(Cli.PROBLEMS);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7})
    void heapTooSmallForAnyWorker_isRefused(int megabytes) {
        Outcome outcome = Outcome.of(Render::run, "--heap", megabytes);

        assertThat(outcome.err()).contains("--heap takes at least 8 MB");
        assertThat(outcome.exitCode()).isEqualTo(Cli.USAGE);
    }

    private static String success(String name, int fromWidth, int fromHeight, int toWidth, int toHeight) {
        return SUCCESS.formatted(name, fromWidth, fromHeight, toWidth, toHeight);
    }

    /** The left half is white, the right half blue. */
    private static void paintHalves(int width, int height, String format, Path file) throws IOException {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, width, height);
        graphics.setColor(Color.BLUE);
        graphics.fillRect(width / 2, 0, width / 2, height);
        graphics.dispose();
        assertThat(ImageIO.write(image, format, file.toFile())).isTrue();
    }

    private static void assertHalves(int width, int height, Path file) throws IOException {
        BufferedImage image = ImageIO.read(file.toFile());
        assertThat(image.getWidth()).isEqualTo(width);
        assertThat(image.getHeight()).isEqualTo(height);
        for (int y : new int[] {0, height / 2, height - 1}) {
            Color left = new Color(image.getRGB(width / 4, y));
            Color right = new Color(image.getRGB(width * 3 / 4, y));
            assertThat(left.getRed()).isGreaterThan(240);
            assertThat(right.getRed()).isLessThan(15);
            assertThat(right.getBlue()).isGreaterThan(240);
        }
    }

    private static void assertNothingLeftBehind() throws IOException {
        try (Stream<Path> temporary = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            String ours = "stratagem-render-" + ProcessHandle.current().pid() + "-";
            assertThat(temporary)
                    .noneMatch(path -> path.getFileName().toString().startsWith(ours));
        }
    }
}
