package io.stratagem.examples;

import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.IIOException;
import javax.imageio.ImageIO;

/**
 * A small version of a picture, and what is known of the picture.
 *
 * @param from the picture
 * @param to the thumbnail
 * @param png the thumbnail as a file
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares thumbnails
record Thumbnail(Dimensions from, Dimensions to, byte[] png) {

    /** The size of a picture in pixels, and of its file. */
    record Dimensions(int width, int height, long bytes) {
        private static Dimensions of(BufferedImage image, long bytes) {
            return new Dimensions(image.getWidth(), image.getHeight(), bytes);
        }

        @Override
        public String toString() {
            return width + " x " + height + ", " + Units.bytes(bytes);
        }
    }

    /** Reads the whole picture into memory: for a worker process. */
    static Thumbnail of(Path file, int longestSide) throws IOException {
        long bytes = Files.size(file); // which says more than ImageIO if the file cannot be read
        BufferedImage picture = ImageIO.read(file.toFile());
        if (picture == null) {
            throw new IIOException("not an image, or of a format that ImageIO does not know");
        }
        BufferedImage thumbnail = scale(picture, longestSide);
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(thumbnail, "png", png);
        return new Thumbnail(Dimensions.of(picture, bytes), Dimensions.of(thumbnail, png.size()), png.toByteArray());
    }

    private static BufferedImage scale(BufferedImage picture, int longestSide) {
        int longer = Math.max(picture.getWidth(), picture.getHeight());
        double factor = Math.min(1, (double) longestSide / longer);
        int width = Math.max(1, (int) Math.round(picture.getWidth() * factor));
        int height = Math.max(1, (int) Math.round(picture.getHeight() * factor));
        // By halves: one large step would skip most of the pixels.
        BufferedImage scaled = picture;
        do {
            int nextWidth = Math.max(width, (scaled.getWidth() + 1) / 2);
            int nextHeight = Math.max(height, (scaled.getHeight() + 1) / 2);
            scaled = resize(scaled, nextWidth, nextHeight);
        } while (scaled.getWidth() > width || scaled.getHeight() > height);
        return scaled;
    }

    private static BufferedImage resize(BufferedImage image, int width, int height) {
        boolean hasAlpha = image.getColorModel().hasAlpha();
        BufferedImage resized =
                new BufferedImage(width, height, hasAlpha ? BufferedImage.TYPE_INT_ARGB : BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = resized.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        graphics.drawImage(image, 0, 0, width, height, null);
        graphics.dispose();
        return resized;
    }
}
