"""An echo server on asyncio, for the Java client of the suite "eventloop": echo.py protocol|streams

It prints its port and ends with its standard input, so with the process that started it.
"""

import asyncio
import sys

BACKLOG = 1024


class Echo(asyncio.Protocol):
    """Without a coroutine for each message."""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def main(kind):
    loop = asyncio.get_running_loop()
    if kind == "protocol":
        server = await loop.create_server(Echo, "127.0.0.1", 0, backlog=BACKLOG)
    else:
        server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=BACKLOG)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
