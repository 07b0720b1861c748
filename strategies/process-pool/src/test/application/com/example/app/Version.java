package com.example.app;

/** Of which there may be several. */
final class Version {
    private Version() {}

    static String name() {
        return "base";
    }
}
