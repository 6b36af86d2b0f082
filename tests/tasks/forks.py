"""Runs tasks in processes that can be killed: imports everything once, and forks a process for each task.

It reads one line of JSON per task (name, arguments, environment) and answers with the id of the process.
"""

import json
import os
import signal
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

from celery import current_app

from pipeline.runtime.celery_app import make_app
from tasks import fetch, inbox, publish, send, surroundings, ticks

__all__ = ["fetch", "inbox", "publish", "send", "ticks"]


class Forks:
    """A handle on the forking process; use it as a context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.tasks.forks"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=60)

    def start(self, task: str, *args: Any) -> int:
        """Start a task in a process of its own, with this process's environment; returns the process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"task": task, "args": args, "env": dict(os.environ)}) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def serve() -> None:
    """Fork until there is no more input."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        wanted = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run(wanted["env"], wanted["task"], wanted["args"])
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _run(env: dict[str, str], task: str, args: list[Any]) -> None:
    os.environ.clear()
    os.environ.update(env)
    make_app(surroundings.runtime().redis_url)
    current_app.tasks[task](*args)
    os._exit(0)


if __name__ == "__main__":
    serve()
