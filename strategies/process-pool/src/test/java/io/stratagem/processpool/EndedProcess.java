package io.stratagem.processpool;

import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** What is left of a process that was killed and had printed nothing. */
final class EndedProcess extends Process {
    @Override
    public OutputStream getOutputStream() {
        return OutputStream.nullOutputStream();
    }

    @Override
    public InputStream getInputStream() {
        return InputStream.nullInputStream();
    }

    @Override
    public InputStream getErrorStream() {
        return InputStream.nullInputStream();
    }

    @Override
    public int waitFor() {
        return exitValue();
    }

    @Override
    public boolean waitFor(long timeout, TimeUnit unit) {
        return true;
    }

    @Override
    public int exitValue() {
        return 137;
    }

    @Override
    public void destroy() {}

    @Override
    public Process destroyForcibly() {
        return this;
    }

    @Override
    public boolean isAlive() {
        return false;
    }

    @Override
    public long pid() {
        return Long.MAX_VALUE;
    }

    @Override
    public Stream<ProcessHandle> descendants() {
        return Stream.empty();
    }
}
