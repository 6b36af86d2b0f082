"""A process that fetches sources as a worker does, each in a thread of its own, and says what it came to.

Reads names of sources, a line each; writes a line of JSON for each, with the most memory that the process ever had.
"""

import json
import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from models.memory import give_back_memory
from pipeline.fetch import http
from pipeline.ingest.fetching import fetch_source
from pipeline.programs import sources
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.runtime.settings import Settings

ROOT = Path(__file__).parents[2]


class Fetch(NamedTuple):
    """How a fetch went; `crashed` is the trace of an error that is none of the source's."""

    outcome: str | None
    error: str | None
    seconds: float
    memory_mb: float
    crashed: str | None = None


class Fetcher:
    """The process, with the settings and the Redis that each source has there; use it as a context manager.

    `deadline` and `silence` are in seconds: how long a request may take, and how long nothing may come.
    """

    def __init__(
        self,
        database_url: str,
        surroundings: Mapping[str, tuple[Mapping[str, Any], str]],
        *,
        deadline: float | None,
        silence: float | None,
    ) -> None:
        plan = {"database": database_url, "surroundings": surroundings, "deadline": deadline, "silence": silence}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.campaigns.fetcher", json.dumps(plan)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=ROOT,
            # A worker fetches one source at a time in a process: its threads here are to share one heap, as it has one.
            env={**os.environ, "MALLOC_ARENA_MAX": "1"},
        )
        self._waiting: dict[str, Future[Fetch]] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._hear)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def fetch(self, source: str) -> Fetch:
        """Fetch a source; each only once at a time."""
        assert self._process.stdin is not None
        waiting = self._waiting[source] = Future()
        with self._lock:
            self._process.stdin.write(f"{source}\n")
        return waiting.result()

    def _hear(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            name, fetch = json.loads(line)
            self._waiting[name].set_result(Fetch(*fetch))
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(RuntimeError("the process that fetches has died"))


def _serve(plan: Mapping[str, Any]) -> None:
    if plan["deadline"] is not None:
        http.DEADLINE = timedelta(seconds=plan["deadline"])
        http.SILENT_SECONDS = plan["silence"]
    runtimes = {
        name: Runtime(settings=Settings(**settings), database_url=plan["database"], redis_url=redis_url)
        for name, (settings, redis_url) in plan["surroundings"].items()
    }
    lock = threading.Lock()

    def fetch(name: str) -> None:
        fetched = _fetch(runtimes[name], name)
        with lock:
            sys.stdout.write(json.dumps([name, fetched]) + "\n")
            sys.stdout.flush()

    for line in sys.stdin:
        threading.Thread(target=fetch, args=(line.strip(),)).start()


def _fetch(runtime: Runtime, name: str) -> Fetch:
    began = time.monotonic()
    outcome = error = crashed = None
    try:
        source = sources.source(runtime, name)
        # Of a service one source is fetched at a time; here all are tried side by side.
        object.__setattr__(source, "asks", name)
        fetched = fetch_source(runtime.engine, source, utc_now)
        outcome, error = (fetched.outcome, fetched.error) if fetched else (None, "it was not due")
    except Exception:  # noqa: BLE001 - whatever it is, the campaign is to hear of it
        crashed = traceback.format_exc()
    return Fetch(outcome, error, time.monotonic() - began, _most_memory_mb(), crashed)


def _most_memory_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    # As a worker does.
    give_back_memory()
    _serve(json.loads(sys.argv[1]))
