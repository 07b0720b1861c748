package com.example.app;

import java.io.Serializable;

/** A value that travels in the compact form. */
public record Point(int x, int y, Colour colour) implements Serializable {}
