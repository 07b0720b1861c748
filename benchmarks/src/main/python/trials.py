"""What the Python contestants have in common: one trial each time a script is run, with the arguments

TRIAL METRIC UNIT SIZE WARM_UP_MILLIS MEASURE_MILLIS

It prints one line "METRIC name value unit" for each pass that is measured. A trial is made with the metric and the
size; it has run, verify, operations, by which a pass's time is divided, and may have close.
"""

import sys
import time

NANOS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def timed_pass(trial):
    begin = time.perf_counter_ns()
    trial.run()
    nanos = time.perf_counter_ns() - begin
    if not trial.verify():
        sys.exit("wrong result")
    return nanos


def passes(trial, millis):
    """The passes until that time is over, and at least one."""
    begin = time.monotonic()
    nanos = []
    while True:
        nanos.append(timed_pass(trial))
        if time.monotonic() - begin >= millis / 1e3:
            return nanos


def measured(trial, warm_up_millis, measure_millis):
    if getattr(trial, "is_cold", False):  # only the first pass in a process counts
        return [timed_pass(trial)]
    if getattr(trial, "warms_up", True):
        passes(trial, warm_up_millis)
    return passes(trial, measure_millis)


def main(trials, name, metric, unit, size, warm_up_millis, measure_millis):
    trial = trials[name](metric, int(size))
    samples = measured(trial, int(warm_up_millis), int(measure_millis))
    if hasattr(trial, "close"):
        trial.close()
    for nanos in samples:
        print("METRIC", metric, f"{nanos / trial.operations / NANOS[unit]:.6g}", unit)
