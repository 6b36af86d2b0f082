"""Stacks of threads: JSON that is nested very deep is an error, whatever the C library gives a thread."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.threads import STACK_BYTES
from pipeline.embedded import Servers

OURS = Path(__file__).parents[2]
# What musl gives a thread.
AS_WITH_MUSL = "import sys, threading; threading.stack_size(128 * 1024)\n"
DECODE = """
import msgspec
from models.threads import give_threads_room

def decode():
    try:
        msgspec.json.decode(b"[" * 100_000)
    except RecursionError:
        print("RecursionError")

give_threads_room()
thread = threading.Thread(target=decode)
thread.start()
thread.join()
"""
ENTRIES = {
    "a command": """
        import atexit
        from pipeline.cli import main
        atexit.register(lambda: print(threading.stack_size()))
        sys.argv = ["lootwire", "--help"]
        main()
    """,
    "a program": """
        from pipeline.runtime.problems import run_program
        run_program(lambda: print(threading.stack_size()))
    """,
}


def last_line(program: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", AS_WITH_MUSL + program],
        cwd=OURS,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_what_is_nested_too_deep_is_an_error_in_a_thread_and_not_the_end_of_its_process() -> None:
    assert last_line(DECODE) == "RecursionError"


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_gives_its_threads_large_stacks(entry: str) -> None:
    assert int(last_line(inspect.cleandoc(ENTRIES[entry]))) == STACK_BYTES


def test_a_worker_does_so_too(engine: Engine, servers: Servers, tmp_path: Path) -> None:
    variables = {
        "DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "REDIS_URL": servers.redis_url,
        "LOOTWIRE_DATA_DIR": str(tmp_path),
    }
    assert int(last_line("import tasks.worker; print(threading.stack_size())", **variables)) == STACK_BYTES
