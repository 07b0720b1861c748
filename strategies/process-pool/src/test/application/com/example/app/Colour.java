package com.example.app;

/** An enum. */
public enum Colour {
    RED,
    BLUE
}
