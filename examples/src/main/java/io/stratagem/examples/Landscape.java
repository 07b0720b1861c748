package io.stratagem.examples;

import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.image.BufferedImage;
import java.util.Random;

/** Hills under a low sun. Each seed has its own. */
final class Landscape {
    private static final int RANGES = 6;

    private final Random random;
    private final int width;
    private final int height;

    private Landscape(long seed, int width, int height) {
        this.random = new Random(seed);
        this.width = width;
        this.height = height;
    }

    /** Draws it all over an image. */
    static void draw(long seed, BufferedImage image) {
        Graphics2D graphics = image.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        new Landscape(seed, image.getWidth(), image.getHeight()).draw(graphics);
        graphics.dispose();
    }

    private void draw(Graphics2D graphics) {
        float hue = random.nextFloat();
        Color zenith = Color.getHSBColor(hue, 0.6f, 0.5f);
        Color horizon = Color.getHSBColor(hue + 0.4f, 0.4f, 1);
        graphics.setPaint(new GradientPaint(0, 0, zenith, 0, 0.7f * height, horizon));
        graphics.fillRect(0, 0, width, height);

        double sun = 0.15 * Math.min(width, height);
        graphics.setPaint(new Color(255, 240, 200));
        graphics.fill(new Ellipse2D.Double(random.nextDouble() * (width - sun), 0.4 * height - sun, sun, sun));

        for (int i = 0; i < RANGES; i++) {
            float near = (i + 1f) / RANGES;
            graphics.setPaint(Color.getHSBColor(hue, 0.3f + 0.5f * near, 0.9f - 0.7f * near));
            graphics.fill(hills((0.4 + 0.5 * near) * height, 0.15 * height));
        }
    }

    /** From a base line down to the lower edge. The outline is a sum of waves. */
    private Path2D hills(double base, double most) {
        double[] phases = random.doubles(5, 0, 2 * Math.PI).toArray();
        Path2D hills = new Path2D.Double();
        hills.moveTo(0, height);
        for (int x = 0; x <= width; x += 2) {
            double y = base;
            for (int wave = 0; wave < phases.length; wave++) {
                double frequency = 1 << wave;
                y += most / frequency / 2 * Math.sin(phases[wave] + 2 * Math.PI * frequency * x / width);
            }
            hills.lineTo(x, y);
        }
        hills.lineTo(width, height);
        hills.closePath();
        return hills;
    }
}
