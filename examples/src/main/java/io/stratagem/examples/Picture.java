package io.stratagem.examples;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import javax.imageio.ImageIO;

/** A picture for who has none at hand. Some are what strangers upload. */
enum Picture {
    SUNRISE("sunrise.jpg", Fate.SCALED),
    COAST("coast.png", Fate.SCALED),
    BOMB("bomb.png", Fate.OUT_OF_MEMORY),
    VALLEY("valley.gif", Fate.SCALED),
    ENDLESS("endless.jpg", Fate.TIMED_OUT),
    CLIFF("cliff.bmp", Fate.SCALED),
    TRUNCATED("truncated.png", Fate.FAILED),
    ICON("icon.png", Fate.SCALED);

    private final String fileName;
    private final Fate fate;

    Picture(String fileName, Fate fate) {
        this.fileName = fileName;
        this.fate = fate;
    }

    String fileName() {
        return fileName;
    }

    /** What must become of it. */
    Fate fate() {
        return fate;
    }

    /** Makes the file. That takes memory, so the application leaves it to its workers. */
    void write(Path file) throws IOException {
        switch (this) {
            case SUNRISE -> draw(4000, 3000, BufferedImage.TYPE_3BYTE_BGR, "jpg", file);
            case COAST -> draw(3000, 2000, BufferedImage.TYPE_4BYTE_ABGR, "png", file);
            case BOMB -> HostileImages.writeMemoryBomb(file, 20_000, 200);
            case VALLEY -> draw(1600, 1200, BufferedImage.TYPE_BYTE_INDEXED, "gif", file);
            case ENDLESS -> HostileImages.writeTimeBomb(file, 20_000);
            case CLIFF -> draw(1200, 2400, BufferedImage.TYPE_3BYTE_BGR, "bmp", file);
            case TRUNCATED -> {
                draw(1000, 1000, BufferedImage.TYPE_3BYTE_BGR, "png", file);
                try (FileChannel bytes = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    bytes.truncate(bytes.size() / 2);
                }
            }
            case ICON -> draw(64, 64, BufferedImage.TYPE_INT_ARGB, "png", file);
        }
    }

    private void draw(int width, int height, int imageType, String format, Path file) throws IOException {
        BufferedImage image = new BufferedImage(width, height, imageType);
        Landscape.draw(fileName.hashCode(), image);
        if (!ImageIO.write(image, format, file.toFile())) {
            throw new IOException("this JVM cannot write " + format);
        }
    }
}
