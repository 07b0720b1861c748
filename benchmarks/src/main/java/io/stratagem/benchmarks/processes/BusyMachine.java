package io.stratagem.benchmarks.processes;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Other processes, which keep so many cores busy until this is closed or this JVM ends. */
final class BusyMachine implements AutoCloseable {
    private final List<Process> processes = new ArrayList<>();

    private BusyMachine() {}

    static BusyMachine start(int cores) throws IOException {
        BusyMachine machine = new BusyMachine();
        String script = "while kill -0 " + ProcessHandle.current().pid()
                + " 2>/dev/null; do i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done; done";
        for (int i = 0; i < cores; i++) {
            machine.processes.add(new ProcessBuilder("/bin/sh", "-c", script).start());
        }
        return machine;
    }

    @Override
    public void close() {
        processes.forEach(Process::destroyForcibly);
    }
}
