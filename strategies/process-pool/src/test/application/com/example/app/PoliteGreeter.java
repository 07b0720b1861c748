package com.example.app;

/** A provider. */
public final class PoliteGreeter implements Greeter {
    @Override
    public String greet() {
        return "good day";
    }
}
