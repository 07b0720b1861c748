"""The Python contestants of the suite "processes" that are up and warm before they are measured. See trials.py."""

import functools
import multiprocessing
import random
import sys
from concurrent.futures import ProcessPoolExecutor

import trials

WORKERS = 2


def increment(value):
    return value + 1


def same(value):
    return value


class Executor:
    """ProcessPoolExecutor, with processes forked as is the default here: all of them with the first task."""

    def __init__(self):
        self.pool = ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("fork"))
        self.pool.submit(increment, 0).result()

    def close(self):
        self.pool.shutdown()


class SubmitGet(Executor):
    """One task submitted and its result waited for: a pass is one round trip."""

    operations = 1

    def __init__(self, metric, size):
        super().__init__()
        self.value = 0

    def run(self):
        self.value += 1
        self.result = self.pool.submit(increment, self.value).result()

    def verify(self):
        return self.result == self.value + 1


class Payload(Executor):
    """Bytes submitted and the same bytes back: a pass is one round trip."""

    operations = 1

    def __init__(self, metric, size):
        super().__init__()
        self.payload = random.Random(42).randbytes(size)

    def run(self):
        self.result = self.pool.submit(same, self.payload).result()

    def verify(self):
        return self.result == self.payload and self.result is not self.payload


class Map:
    """A list of integers to the list of results; the subclasses say how."""

    def __init__(self, metric, size):
        super().__init__()
        self.inputs = list(range(size))
        self.operations = size

    def verify(self):
        return self.results == list(range(1, self.operations + 1))


class MapExecutor(Map, Executor):
    def __init__(self, chunk_size, metric, size):
        super().__init__(metric, size)
        self.chunk_size = chunk_size

    def run(self):
        self.results = list(self.pool.map(increment, self.inputs, chunksize=self.chunk_size))


class MapPool(Map):
    """multiprocessing.Pool, with chunks of that size or, if None, its own."""

    def __init__(self, chunk_size, metric, size):
        super().__init__(metric, size)
        self.chunk_size = chunk_size
        self.pool = multiprocessing.get_context("fork").Pool(WORKERS)

    def run(self):
        self.results = self.pool.map(increment, self.inputs, chunksize=self.chunk_size)

    def close(self):
        self.pool.terminate()


class MapJoblib(Map):
    """joblib with its default processes and automatic batches; its processes and what it learnt stay between passes."""

    def __init__(self, metric, size):
        from joblib import Parallel, delayed

        super().__init__(metric, size)
        self.parallel = Parallel(n_jobs=WORKERS).__enter__()
        self.increment = delayed(increment)
        self.parallel(self.increment(value) for value in range(WORKERS))

    def run(self):
        self.results = self.parallel(self.increment(value) for value in self.inputs)

    def close(self):
        self.parallel.__exit__(None, None, None)


class ManagerGet:
    """A value read from a dictionary in the process of a multiprocessing.Manager: a pass is one round trip."""

    operations = 1

    def __init__(self, metric, size):
        self.manager = multiprocessing.get_context("fork").Manager()
        self.entries = self.manager.dict({f"key-{i}": i for i in range(100)})
        self.number = 0

    def run(self):
        self.number = (self.number + 1) % 100
        self.result = self.entries[f"key-{self.number}"]

    def verify(self):
        return self.result == self.number

    def close(self):
        self.manager.shutdown()


TRIALS = {
    "submit-get": SubmitGet,
    "map-executor-1": functools.partial(MapExecutor, 1),
    "map-executor-1000": functools.partial(MapExecutor, 1000),
    "map-pool": functools.partial(MapPool, None),
    "map-pool-1": functools.partial(MapPool, 1),
    "map-joblib": MapJoblib,
    "payload": Payload,
    "manager-get": ManagerGet,
}


if __name__ == "__main__":
    trials.main(TRIALS, *sys.argv[1:])
