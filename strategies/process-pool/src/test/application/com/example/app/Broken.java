package com.example.app;

/** Cannot be initialised. */
final class Broken {
    static final int VALUE = Integer.parseInt("none");

    private Broken() {}
}
