package com.example.app;

/** A service. */
public interface Greeter {
    /** Words of welcome. */
    String greet();
}
