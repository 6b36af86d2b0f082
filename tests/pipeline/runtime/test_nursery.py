"""Programs that are forked from one process, with real forks and kills."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.runtime.nursery import Forked, Nursery
from pipeline.runtime.supervisor import Program, Supervisor
from tests.waiting import folder_of_processes, processes_with, wait_for

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc"),
]

# The module that the nursery loads once for all of its programs.
LOADED = """
import os
loaded_by = os.getpid()
"""
# Describes itself in the file of its first argument; then it exits with a code, or waits to be ended.
PROGRAM = r"""
import json, os, signal, sys
import loaded
from pipeline.runtime.supervisor import watch_parent
if __name__ == "__main__":
    watch_parent()
    with open(sys.argv[1], "a") as births:
        fields = {
            "pid": os.getpid(),
            "session": os.getsid(0),
            "arguments": sys.argv[1:],
            "colour": os.environ.get("COLOUR"),
            "home": os.environ.get("HOME"),
            "loaded_by": loaded.loaded_by,
            "term": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
        }
        births.write(json.dumps(fields) + "\n")
    if len(sys.argv) > 2:
        sys.exit(int(sys.argv[2]))
    while True:
        signal.pause()
"""
UP = """
import os, sys
from pathlib import Path
from pipeline.runtime.supervisor import Program, Supervisor
data_dir, births = sys.argv[1:]
child = Program("worker", [sys.executable, "-m", "program", births], shares=True)
with Supervisor([child], data_dir=Path(data_dir), env=os.environ, preload="loaded") as supervisor:
    sys.exit(supervisor.run_until_signal())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_of_processes() as folder:
        (folder / "loaded.py").write_text(LOADED)
        (folder / "program.py").write_text(PROGRAM)
        yield folder


@pytest.fixture
def env(folder: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(folder)}


@contextmanager
def opened(env: dict[str, str], module: str = "loaded") -> Iterator[Nursery]:
    reading, writing = os.pipe()
    nursery = Nursery(module, env=env, inherited=reading)
    try:
        yield nursery
    finally:
        nursery.close()
        os.close(reading)
        os.close(writing)


def born(folder: Path) -> list[dict[str, object]]:
    births = folder / "births"
    return [json.loads(line) for line in births.read_text().splitlines()] if births.exists() else []


def code_of(program: Forked) -> int | None:
    wait_for(lambda: program.poll() is not None)
    return program.returncode


def test_a_fork_is_what_python_would_be_with_its_arguments(folder: Path, env: dict[str, str]) -> None:
    with opened(env) as nursery:
        program = nursery.start(["program", str(folder / "births"), "7"], env | {"COLOUR": "green"})
        assert code_of(program) == 7
    (birth,) = born(folder)
    assert birth["pid"] == birth["session"] == program.pid
    assert birth["arguments"] == [str(folder / "births"), "7"]
    assert (birth["colour"], birth["home"]) == ("green", env.get("HOME"))
    assert birth["term"]


def test_what_is_loaded_is_loaded_once(folder: Path, env: dict[str, str]) -> None:
    with opened(env) as nursery:
        for _ in range(2):
            assert code_of(nursery.start(["program", str(folder / "births"), "0"], env)) == 0
    first, second = born(folder)
    assert first["loaded_by"] == second["loaded_by"] != first["pid"]


def test_a_program_that_ends_as_soon_as_it_is_started_is_known_to_have_ended(folder: Path, env: dict[str, str]) -> None:
    (folder / "moment.py").write_text("import os\nos._exit(7)\n")
    with opened(env) as nursery:
        assert [code_of(nursery.start(["moment"], env)) for _ in range(50)] == [7] * 50


def test_a_program_shows_its_own_command_line(folder: Path, env: dict[str, str]) -> None:
    births = folder / "births"
    with opened(env) as nursery:
        program = nursery.start(["program", str(births)], env)
        wait_for(lambda: born(folder))
        assert processes_with(births)[program.pid].rstrip().endswith(f"-m program {births}")
        program.send_signal(signal.SIGTERM)
        assert code_of(program) == -signal.SIGTERM


def test_a_nursery_that_is_lost_takes_no_program_along_and_another_is_started(
    folder: Path, env: dict[str, str]
) -> None:
    births = folder / "births"
    with opened(env) as nursery:
        first = nursery.start(["program", str(births)], env)
        wait_for(lambda: born(folder))
        assert nursery._process is not None
        os.kill(nursery._process.pid, signal.SIGKILL)
        assert code_of(first) == -signal.SIGKILL
        assert first.pid in processes_with(births)
        second = nursery.start(["program", str(births)], env)
        assert second.poll() is None
        for pid in (first.pid, second.pid):
            os.kill(pid, signal.SIGKILL)
        assert code_of(second) == -signal.SIGKILL


def test_a_module_that_cannot_be_loaded_is_an_error_of_the_start(folder: Path, env: dict[str, str]) -> None:
    with (
        opened(env, "no_such_module") as nursery,
        pytest.raises(OSError, match="the process that it is forked of has ended"),
    ):
        nursery.start(["program", str(folder / "births")], env)


def test_a_supervisor_starts_a_shared_program_again_whoever_was_killed(folder: Path, env: dict[str, str]) -> None:
    births = folder / "births"
    child = Program("worker", [sys.executable, "-m", "program", str(births)], shares=True)
    notices: list[str] = []
    with Supervisor([child], data_dir=folder / "data", env=env, say=notices.append, preload="loaded") as supervisor:
        wait_for(lambda: born(folder))
        os.kill(int(str(born(folder)[0]["pid"])), signal.SIGKILL)
        wait_for(lambda: len(born(folder)) == 2)
        assert supervisor._nursery is not None
        assert supervisor._nursery._process is not None
        os.kill(supervisor._nursery._process.pid, signal.SIGKILL)
        wait_for(lambda: len(born(folder)) == 3)
        assert set(processes_with(births)) == {born(folder)[2]["pid"]}
        supervisor.restart("worker")
        wait_for(lambda: len(born(folder)) == 4)
    assert notices[0] == "worker ended with signal 9 (Killed); starting it again in 1 s"
    assert not processes_with(births)


def test_killing_the_supervisor_leaves_neither_a_shared_program_nor_the_nursery(
    folder: Path, env: dict[str, str]
) -> None:
    births = folder / "births"
    command = [sys.executable, "-c", UP, str(folder / "data"), str(births)]
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: born(folder))
        nurseries = processes_with("pipeline.runtime.nursery")
        process.kill()
    wait_for(lambda: not processes_with(births))
    loaded_by = born(folder)[0]["loaded_by"]
    assert loaded_by in nurseries
    wait_for(lambda: loaded_by not in processes_with("pipeline.runtime.nursery"))
