"""The shared rate limit under four workers whose clocks are minutes apart, as the service sees it.

    uv run --frozen python bench/limiter.py [SECONDS] [--tiny]

Four processes of two threads each ask a local server as fast as the limiter lets them, 60 seconds long. `time.time`
lies by five minutes more in each of them. The server, a process of its own, logs when each request arrived by its own
monotonic clock. Goals: no sliding second ever holds more than 4 arrivals, and at least 98 % of the limit is used.
"""

import asyncio
import multiprocessing
import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.databases import Servers
from bench.results import Result, bounded
from bench.running import Size, run_alone
from pipeline.fetch.http import Client
from pipeline.fetch.limiter import RateLimiter, connect_redis

REQUESTS, MOST_OPEN = 4, 8
THREADS, AT_LEAST = 2, 2
CLOCKS_APART = 300.0
ANSWER_TAKES = 0.05


@dataclass(frozen=True)
class Crowd(Size):
    """How long so many processes ask."""

    seconds: float
    processes: int = 4


FULL, TINY = Crowd(60.0), Crowd(2.0, processes=2)


class Arrivals:
    """A server that notes when each request has arrived, and how many are open."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.most_open = 0
        self._open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            self.times.append(time.monotonic())
            self._open += 1
            self.most_open = max(self.most_open, self._open)
            while (await reader.readline()).strip():
                pass
            await asyncio.sleep(ANSWER_TAKES)
            self._open -= 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
            await writer.drain()
        writer.close()


def run_server(pipe: Connection) -> None:
    # An instrument that waits for a processor would measure its own lateness; without the right to, it may.
    with suppress(PermissionError):
        os.nice(-15)

    async def serve() -> None:
        arrivals = Arrivals()
        server = await asyncio.start_server(arrivals.serve, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
        pipe.send((arrivals.times, arrivals.most_open))

    asyncio.run(serve())


def run_worker(redis_url: str, url: str, clock_off_by: float, seconds: float, start: Barrier) -> None:
    true_time = time.time
    time.time = lambda: true_time() + clock_off_by
    limiter = RateLimiter(connect_redis(redis_url), "bench", requests=REQUESTS, most_open=MOST_OPEN)

    # All start together: a process that starts slowly must have as much time as the others.
    start.wait()
    until = time.monotonic() + seconds

    def ask() -> None:
        with Client(attempts=1) as client:
            count = 0
            while count < AT_LEAST or time.monotonic() < until:
                client.ask("GET", url, headers={}, turn=limiter.turn)
                count += 1

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def most_in_a_second(times: list[float]) -> int:
    """Return the largest number of arrivals in any half-open second."""
    most = begin = 0
    for end, at in enumerate(times):
        while at - times[begin] >= 1:
            begin += 1
        most = max(most, end - begin + 1)
    return most


def measure(redis_url: str, size: Crowd) -> tuple[list[float], int]:
    context = multiprocessing.get_context("spawn")
    pipe, far_end = context.Pipe()
    server = context.Process(target=run_server, args=(far_end,))
    server.start()
    url = f"http://127.0.0.1:{pipe.recv()}/"
    start = context.Barrier(size.processes)
    workers = [
        context.Process(target=run_worker, args=(redis_url, url, number * CLOCKS_APART, size.seconds, start))
        for number in range(size.processes)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0, "a worker failed"
    pipe.send("stop")
    times, most_open = pipe.recv()
    server.join()
    return sorted(times), most_open


def run(servers: Servers, size: Crowd) -> list[Result]:
    times, most_open = measure(servers.redis_url(), size)
    assert len(times) >= size.processes * THREADS * AT_LEAST, "all got answers"
    assert most_open <= MOST_OPEN, most_open
    span = times[-1] - times[0]
    # A first request comes at once, so n arrivals span n - 1 intervals.
    used = 100 * (len(times) - 1) / (span * REQUESTS)
    closest = min(later - earlier for earlier, later in zip(times, times[REQUESTS:], strict=False))
    print(f"{size.processes} processes of {THREADS} threads, clocks {CLOCKS_APART:g} s apart")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print(f"{len(times)} arrivals in {span:.2f} s, at most {most_open} open, closest {REQUESTS + 1} in {closest:.3f} s")
    most = most_in_a_second(times)
    return [
        bounded("limiter: used", used, "% of the limit", least=98),
        bounded("limiter: in a sliding second", most, "arrivals", most=REQUESTS),
    ]


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
