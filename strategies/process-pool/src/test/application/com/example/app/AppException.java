package com.example.app;

/** An exception that the application knows. */
public final class AppException extends Exception {
    private static final long serialVersionUID = 1;

    private final Point where;

    /** With something of the application's in it. */
    public AppException(String message, Point where) {
        super(message);
        this.where = where;
    }

    /** What is in it. */
    public Point where() {
        return where;
    }
}
