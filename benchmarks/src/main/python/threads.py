"""The Python contestants of the suite "threads". See trials.py."""

import asyncio
import gzip
import hashlib
import lzma
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor

import trials

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
BUFFER_BYTES = 1 << 20
XZ_PRESET = 1  # the same as in the Java programs
SLEEP_SECONDS = 0.1

CODECS = {
    "gzip": (lambda buffer: gzip.compress(buffer, 6), gzip.decompress),
    "xz": (lambda buffer: lzma.compress(buffer, preset=XZ_PRESET), lzma.decompress),
    "sha256": (lambda buffer: hashlib.sha256(buffer).digest(), None),
}


def increment(value):
    return value + 1


class Map:
    """The executor's own map, to a list."""

    def __init__(self, metric, size):
        self.pool = ThreadPoolExecutor(CORES)
        self.inputs = list(range(size))
        self.operations = size

    def run(self):
        self.results = list(self.pool.map(increment, self.inputs))

    def verify(self):
        return self.results == list(range(1, self.operations + 1))


class SubmitGet:
    """One task at a time."""

    def __init__(self, metric, size):
        self.pool = ThreadPoolExecutor(CORES)
        self.operations = size

    def run(self):
        self.total = sum(self.pool.submit(increment, i).result() for i in range(self.operations))

    def verify(self):
        return self.total == self.operations * (self.operations + 1) // 2


class SubmitMany(SubmitGet):
    """All tasks, then all results."""

    def run(self):
        futures = [self.pool.submit(increment, i) for i in range(self.operations)]
        self.total = sum(future.result() for future in futures)


class EncodeOneThread:
    """Random buffers compressed or hashed, one after the other."""

    def __init__(self, metric, size):
        self.encode, self.decode = CODECS[metric]
        source = random.Random(42)
        self.buffers = [source.randbytes(BUFFER_BYTES) for _ in range(size)]
        self.operations = size
        self.verified = False

    def run(self):
        self.results = list(map(self.encode, self.buffers))

    def verify(self):
        if self.verified:
            return len(self.results) == self.operations
        self.verified = True
        if self.decode is None:
            return self.results == [self.encode(buffer) for buffer in self.buffers]
        return [self.decode(result) for result in self.results] == self.buffers


class EncodeThreads(EncodeOneThread):
    """The same on a pool: zlib, lzma and hashlib release the interpreter's lock."""

    def __init__(self, metric, size):
        super().__init__(metric, size)
        self.pool = ThreadPoolExecutor(CORES)

    def run(self):
        self.results = list(self.pool.map(self.encode, self.buffers))


class Sleeps:
    """All at once on one event loop; the pass is one operation, too long to be warmed up in vain."""

    warms_up = False

    def __init__(self, metric, size):
        self.size = size
        self.operations = 1

    def run(self):
        self.results = asyncio.run(self.all())

    async def all(self):
        return await asyncio.gather(*(self.sleep(i) for i in range(self.size)))

    @staticmethod
    async def sleep(value):
        await asyncio.sleep(SLEEP_SECONDS)
        return value

    def verify(self):
        return self.results == list(range(self.size))


TRIALS = {
    "map-trivial": Map,
    "submit-get": SubmitGet,
    "submit-many": SubmitMany,
    "encode-one-thread": EncodeOneThread,
    "encode-threads": EncodeThreads,
    "sleeps-asyncio": Sleeps,
}


if __name__ == "__main__":
    trials.main(TRIALS, *sys.argv[1:])
