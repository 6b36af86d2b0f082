"""The supervisor, with real children, signals and kills."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pipeline.runtime.supervisor import AlreadyRunning, Backoff, Program, Supervisor
from tests.processes import kill
from tests.waiting import folder_of_processes, processes_with, wait_for

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc"),
]

# Writes its process id to the file that is its first argument, and then waits to be ended. It does not heed the signals
# that are its further arguments, but writes down beside the file that they came.
CHILD = """
import os, signal, sys
from pipeline.runtime import supervisor
supervisor.watch_parent()
def note(number, frame):
    with open(sys.argv[1] + "." + signal.Signals(number).name, "w"):
        pass
for number in sys.argv[2:]:
    signal.signal(getattr(signal, number), note)
with open(sys.argv[1], "a") as births:
    births.write(f"{os.getpid()}\\n")
while True:
    signal.pause()
"""

# As CHILD, deaf to SIGTERM, with a process of its own as Celery's pool has.
STUBBORN_FAMILY = CHILD.replace(
    "supervisor.watch_parent()",
    "supervisor.ORPHAN_SECONDS = 0.3; supervisor.watch_parent(); os.fork(); signal.signal(15, signal.SIG_IGN)",
)

UP = """
import os, sys, time
from pathlib import Path
from pipeline.runtime import supervisor
from pipeline.runtime.supervisor import Program, Supervisor
from pipeline.runtime.watchdog import Watchdog
supervisor.COLD_SECONDS = 600
data_dir, births, code, ignored, second = sys.argv[1:]
def sleep_long():
    Path(births).with_name("asleep").touch()
    time.sleep(600)
child = Program("worker", [sys.executable, "-c", code, births, *ignored.split()])
seconds = {
    "": None,
    "slow": sleep_long,
    "embedded": lambda: Watchdog("", embedded_in=Path(data_dir)).look(running.restart, running.run),
}
running = Supervisor(
    [child], data_dir=Path(data_dir), env=os.environ, each_second=seconds[second], grace_seconds=600
)
with running:
    sys.exit(running.run_until_signal())
"""


@pytest.fixture
def births() -> Iterator[Path]:
    with folder_of_processes() as folder:
        yield folder / "births"


def born(births: Path) -> list[int]:
    return [int(line) for line in births.read_text().split()] if births.exists() else []


def heard(births: Path, number: str) -> bool:
    return births.with_name(f"births.{number}").exists()


def child(births: Path, *ignored: str) -> Program:
    return Program("worker", [sys.executable, "-c", CHILD, str(births), *ignored])


@contextmanager
def up(births: Path, code: str = CHILD, ignored: str = "", second: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that does what `lootwire up` does, with one child; yield it once the child runs."""
    command = [sys.executable, "-c", UP, str(births.parent / "data"), str(births), code, ignored, second]
    env = os.environ | {"LOOTWIRE_EMBEDDED_LINGER": "0.1"}
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=env) as process:
        try:
            wait_for(lambda: born(births))
            yield process
        finally:
            process.kill()
            wait_for(lambda: not processes_with(births.parent))


def test_children_live_from_the_start_to_the_end_of_the_block(births: Path, tmp_path: Path) -> None:
    with Supervisor([child(births)], data_dir=tmp_path, env=os.environ):
        wait_for(lambda: born(births))
        assert processes_with(births)
    assert not processes_with(births)


def test_a_child_that_is_killed_is_started_again(births: Path, tmp_path: Path) -> None:
    notices: list[str] = []
    with Supervisor([child(births)], data_dir=tmp_path, env=os.environ, say=notices.append):
        wait_for(lambda: born(births))
        kill(born(births)[0])
        wait_for(lambda: len(born(births)) == 2)
    assert notices == ["worker ended with signal 9 (Killed); starting it again in 1 s"]


def test_what_a_killed_child_leaves_of_its_family_ends_too(births: Path, tmp_path: Path) -> None:
    family = Program("worker", [sys.executable, "-c", STUBBORN_FAMILY, str(births)])
    with Supervisor([family], data_dir=tmp_path, env=os.environ, say=lambda _: None, grace_seconds=0.1):
        wait_for(lambda: len(born(births)) == 2)
        leader = next(pid for pid in born(births) if os.getpgid(pid) == pid)
        kill(leader)
        wait_for(lambda: not set(born(births)[:2]) & set(processes_with(births)))


def test_a_program_that_is_wanted_now_and_then_runs_only_while_its_file_is_there(births: Path, tmp_path: Path) -> None:
    wanted, notices = tmp_path / "wanted", list[str]()
    program = replace(child(births), while_there=str(wanted))
    with Supervisor([program], data_dir=tmp_path, env=os.environ, say=notices.append) as running:
        running._look_after_children()
        assert not born(births)
        for number in (1, 2):
            wanted.touch()
            wait_for(lambda number=number: len(born(births)) == number)
            wanted.unlink()
            wait_for(lambda: not processes_with(births))
    # That it ends is no news.
    assert notices == []


def test_a_program_that_does_not_exist_is_reported_and_the_others_run(births: Path, tmp_path: Path) -> None:
    notices: list[str] = []
    programs = [Program("ghost", ["/no/such/program"]), child(births)]
    with Supervisor(programs, data_dir=tmp_path, env=os.environ, say=notices.append):
        wait_for(lambda: born(births))
    assert notices[0].startswith("ghost could not be started: ")


@pytest.mark.parametrize("preload", [None, "pipeline.runtime.supervisor"])
def test_a_program_of_a_moment_is_run_to_its_end(tmp_path: Path, preload: str | None) -> None:
    (tmp_path / "moment.py").write_text("import os\nos._exit(int(os.environ['CODE']))\n")
    env = os.environ | {"PYTHONPATH": str(tmp_path)}
    with Supervisor([], data_dir=tmp_path, env=env, preload=preload) as supervisor:
        assert [supervisor.run(["moment"], {"CODE": code}) for code in ("0", "70")] == [0, 70]
    assert supervisor.run(["moment"], {"CODE": "0"}) == -signal.SIGKILL


@pytest.mark.parametrize("seconds", [0.1, 600.0], ids=["that takes too long", "when all stops"])
def test_a_program_of_a_moment_is_killed(births: Path, tmp_path: Path, seconds: float) -> None:
    births.with_name("forever.py").write_text(CHILD)
    env = os.environ | {"PYTHONPATH": str(births.parent)}
    codes: list[int] = []
    with Supervisor([], data_dir=tmp_path, env=env) as supervisor:
        asking = threading.Thread(
            target=lambda: codes.append(supervisor.run(["forever", str(births)], {}, seconds=seconds))
        )
        asking.start()
        wait_for(lambda: born(births) or codes)
        if seconds < 1:
            asking.join()
    asking.join()
    # When all stops it may also hear first that its supervisor is gone.
    assert codes[0] in {-signal.SIGKILL, -signal.SIGTERM}
    assert not processes_with(births)


def test_a_program_can_be_restarted_at_once(births: Path, tmp_path: Path) -> None:
    notices: list[str] = []
    with Supervisor([child(births)], data_dir=tmp_path, env=os.environ, say=notices.append) as supervisor:
        wait_for(lambda: born(births))
        supervisor.restart("worker")
        wait_for(lambda: len(born(births)) == 2)
        assert set(processes_with(births)) == {born(births)[1]}
    assert notices == ["worker is restarted"]


def test_a_program_that_does_not_heed_its_restart_is_killed(births: Path, tmp_path: Path) -> None:
    deaf = child(births, "SIGTERM")
    with Supervisor([deaf], data_dir=tmp_path, env=os.environ, say=lambda _: None, grace_seconds=0.2) as supervisor:
        wait_for(lambda: born(births))
        supervisor.restart("worker")
        wait_for(lambda: len(born(births)) == 2)


def test_a_second_supervisor_is_refused_with_the_directory_and_the_process(births: Path, tmp_path: Path) -> None:
    with Supervisor([], data_dir=tmp_path, env=os.environ):
        second = Supervisor([child(births)], data_dir=tmp_path, env=os.environ)
        with pytest.raises(AlreadyRunning, match=rf"{tmp_path} \(process {os.getpid()}\)"), second:
            pass
    with Supervisor([], data_dir=tmp_path, env=os.environ):
        pass  # the first supervisor has released the directory
    assert not born(births)


def test_killing_the_supervisor_leaves_no_child(births: Path) -> None:
    with up(births) as process:
        process.kill()
        wait_for(lambda: not processes_with(births))


def test_killing_the_supervisor_ends_even_a_stubborn_child_and_its_pool(births: Path) -> None:
    with up(births, STUBBORN_FAMILY) as process:
        wait_for(lambda: len(born(births)) == 2)
        process.kill()
        wait_for(lambda: not processes_with(births))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_with_exit_code_0(births: Path, number: signal.Signals) -> None:
    with up(births) as process:
        process.send_signal(number)
        assert process.wait(60) == 0
        assert not processes_with(births)


def test_a_second_ctrl_c_cuts_the_grace_short(births: Path) -> None:
    with up(births, ignored="SIGTERM") as process:
        process.send_signal(signal.SIGINT)
        wait_for(lambda: heard(births, "SIGTERM"))
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert not processes_with(births)


def test_a_third_ctrl_c_kills_at_once(births: Path) -> None:
    with up(births, ignored="SIGTERM SIGQUIT") as process:
        for number in ("SIGTERM", "SIGQUIT"):
            process.send_signal(signal.SIGINT)
            wait_for(partial(heard, births, number))
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert not processes_with(births)


def test_ctrl_c_is_heard_while_servers_are_being_brought_back(births: Path) -> None:
    with up(births, second="slow") as process:
        wait_for(births.with_name("asleep").exists)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_servers_that_lose_their_host_are_brought_back(births: Path) -> None:
    data_dir = births.parent / "data"

    def hosts() -> set[int]:
        return {pid for pid, command in processes_with(data_dir).items() if "embedded.host" in command}

    with up(births, second="embedded"):
        wait_for((data_dir / "servers.json").exists)
        before = hosts()
        kill(min(before))
        wait_for(lambda: hosts() - before and (data_dir / "servers.json").exists())


def test_an_error_in_the_call_of_each_second_is_told_and_the_call_repeated(births: Path, tmp_path: Path) -> None:
    notices: list[str] = []
    calls = threading.Semaphore(0)

    def fail() -> None:
        calls.release()
        raise RuntimeError("no servers")

    with Supervisor([], data_dir=tmp_path, env=os.environ, each_second=fail, say=notices.append):
        assert calls.acquire(timeout=60)
        assert calls.acquire(timeout=60)
    assert notices[0] == "no servers; trying again in 1 s"


def test_pauses_double_to_forty_seconds_and_begin_anew_after_a_long_life() -> None:
    backoff = Backoff()
    assert [backoff.after(0) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 40, 40]
    assert backoff.after(41) == 1
