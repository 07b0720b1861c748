package io.stratagem.batchedipc;

import java.io.IOException;

/** The process that fills the ring, {@code RingSender KIND FILE}, until its standard input ends. */
final class RingSender {
    private RingSender() {}

    public static void main(String[] arguments) throws IOException {
        Thread end = new Thread(RingSender::haltAtEndOfInput);
        end.setDaemon(true);
        end.start();
        RecordRing.Kind.valueOf(arguments[0]).open(arguments[1]).putForEver(0);
    }

    private static void haltAtEndOfInput() {
        try {
            while (System.in.read() >= 0) {
                // nothing is said
            }
        } catch (IOException e) {
            // as good as its end
        }
        Runtime.getRuntime().halt(0);
    }
}
