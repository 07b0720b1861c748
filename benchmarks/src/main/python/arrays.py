"""The Python contestants that sum a large array of doubles in another process. See trials.py."""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import shared_memory

import numpy

import trials

WORKERS = 2


def total(values):
    return float(values.sum())


def nothing():
    return 0


attached = {}


def total_of_shared(name, size):
    if name not in attached:  # once in each process
        attached[name] = shared_memory.SharedMemory(name)
    return total(numpy.ndarray((size,), numpy.float64, attached[name].buf))


class Sum:
    """The numbers are whole, so the sum is exact: a pass is one sum."""

    operations = 1

    def __init__(self, metric, size):
        self.values = numpy.random.default_rng(42).integers(0, 1000, size).astype(numpy.float64)
        self.expected = total(self.values)

    def verify(self):
        return self.sum == self.expected


class Executor(Sum):
    """The array is pickled."""

    def __init__(self, metric, size):
        super().__init__(metric, size)
        self.pool = ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("fork"))
        self.pool.submit(nothing).result()

    def run(self):
        self.sum = self.pool.submit(total, self.values).result()

    def close(self):
        self.pool.shutdown()


class Shared(Executor):
    """The array is in shared memory, and what is pickled is its name."""

    def __init__(self, metric, size):
        # Before the processes are forked: so they have one resource tracker, which unlinks it only once.
        self.memory = shared_memory.SharedMemory(create=True, size=size * numpy.dtype(numpy.float64).itemsize)
        super().__init__(metric, size)
        self.size = size
        numpy.ndarray((size,), numpy.float64, self.memory.buf)[:] = self.values

    def run(self):
        self.sum = self.pool.submit(total_of_shared, self.memory.name, self.size).result()

    def close(self):
        super().close()
        self.memory.close()
        self.memory.unlink()


class Joblib(Sum):
    """Each time another array, which joblib writes to a file that the process maps."""

    def __init__(self, metric, size):
        from joblib import Parallel, delayed

        super().__init__(metric, size)
        self.parallel = Parallel(n_jobs=WORKERS).__enter__()
        self.total = delayed(total)
        self.parallel(delayed(nothing)() for _ in range(WORKERS))

    def run(self):
        self.sum = self.parallel([self.total(self.values)])[0]

    def verify(self):
        is_right = super().verify()
        self.values = self.values.copy()
        return is_right

    def close(self):
        self.parallel.__exit__(None, None, None)


TRIALS = {
    "executor": Executor,
    "shared": Shared,
    "joblib": Joblib,
}


if __name__ == "__main__":
    trials.main(TRIALS, *sys.argv[1:])
