"""An operator at the command line of one installation."""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine

from pipeline import cli
from pipeline.demo import history

COMMAND = [sys.executable, "-c", "from pipeline.cli import main; main()"]


class Result(NamedTuple):
    """The exit code and the output of a command."""

    code: int
    out: str
    errors: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON objects that the command printed, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Operator:
    """Runs commands in this process, or as processes of their own."""

    def __init__(self, engine: Engine, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.engine = engine
        self.folder = folder
        self._capsys = capsys

    def run(self, *arguments: str) -> Result:
        """Run a command line in this process."""
        self._capsys.readouterr()
        code = cli.run(list(arguments))
        captured = self._capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Result(code, captured.out, captured.err)

    @staticmethod
    def start(*arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """Start a command line as a process of its own, in its own session, with pipes to read from."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
        return subprocess.Popen([*COMMAND, *arguments], **(pipes | options))

    def snapshots(self, now: datetime, steps: int = 3) -> Path:
        """Write the first hours of the demo's history as snapshot files and return their folder."""
        folder = self.folder / "kept"
        folder.mkdir()
        for step in range(steps):
            taken_at = now - timedelta(hours=steps - step)
            payload = json.dumps(history.mirror_drops(now, step, "http://127.0.0.1:1"))
            (folder / f"{taken_at:%Y-%m-%dT%H%M%SZ}_drops.json").write_text(payload)
        return folder


def environment() -> dict[str, str]:
    """Return this process's variables without those of a developer's own installation."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LOOTWIRE_")}
