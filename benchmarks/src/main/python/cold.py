"""The Python contestants for the first result of a new pool in a process that runs already. See trials.py.

The import of the library is within the time, as the loading of its classes is in the Java programs; that of the
standard library's logging is before it, as theirs. Nothing else is imported up here: a spawned worker imports this too.
"""

import logging
import sys

import trials

WORKERS = 2


def increment(value):
    return value + 1


class Cold:
    is_cold = True
    operations = 1

    def __init__(self, metric, size):
        logging.getLogger("cold").debug("logging is up")

    def verify(self):
        return self.result == 2


class Spawn(Cold):
    """A worker is a new interpreter."""

    method = "spawn"

    def run(self):
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        self.pool = ProcessPoolExecutor(WORKERS, mp_context=get_context(self.method))
        self.result = self.pool.submit(increment, 1).result()

    def close(self):
        self.pool.shutdown()


class Fork(Spawn):
    """A worker is a copy of this process."""

    method = "fork"


class Joblib(Cold):
    """joblib with its default processes."""

    def run(self):
        from joblib import Parallel, delayed

        (self.result,) = Parallel(n_jobs=WORKERS)([delayed(increment)(1)])


TRIALS = {"spawn": Spawn, "fork": Fork, "joblib": Joblib}


if __name__ == "__main__":
    trials.main(TRIALS, *sys.argv[1:])
