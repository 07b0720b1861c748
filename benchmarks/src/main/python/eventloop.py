"""The Python contestants of the suite "eventloop" but for the servers (echo.py). See trials.py."""

import asyncio
import sys
import tracemalloc

import threads
import trials

HOUR = 3600


async def bytes_per_task(size):
    """What Python holds for each task that waits in a sleep, its place in a list of them included."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    tasks = [asyncio.create_task(asyncio.sleep(HOUR)) for _ in range(size)]
    await asyncio.sleep(0)  # all begin
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    if len(asyncio.all_tasks()) != size + 1 or any(task.done() for task in tasks):
        sys.exit("not all tasks wait")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return (after - before) / size


if __name__ == "__main__":
    if sys.argv[1] == "delay-bytes":
        print("METRIC", sys.argv[2], f"{asyncio.run(bytes_per_task(int(sys.argv[4]))):.6g}", sys.argv[3])
    else:
        trials.main({"delays": threads.Sleeps}, *sys.argv[1:])
