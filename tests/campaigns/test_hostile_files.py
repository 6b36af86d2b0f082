"""Hundreds of hostile files in one run of the program: it stands, gives each its reason, and needs little memory."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from models import DropCampaign, QuarantinedPayload
from pipeline.embedded import Servers
from tests.campaigns.program import start
from tests.hostile import FINE, write_all

pytestmark = pytest.mark.long

MOST_MEMORY = 300 * 2**20


def test_two_hundred_hostile_files_each_get_their_reason_and_little_memory(
    engine: Engine, servers: Servers, tmp_path: Path
) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    expected = write_all(folder)
    assert len(expected) >= 200

    code, printed, complaints, memory = lootwire(engine, servers, tmp_path, "import", str(folder), "--json")

    assert complaints == ""
    assert code == 3, "done, with something set aside"
    assert memory < MOST_MEMORY
    summary = json.loads(printed)
    given: dict[str, list[str]] = {}
    for aside in summary["quarantined"]:
        name = aside["path"].removeprefix(f"{folder}/").partition(":")[0]
        given.setdefault(name, []).append(aside["reason"])
    # One more than expected: the file whose name is no text.
    assert summary["files"] >= len(expected) + 1
    wrong = {
        name: given.get(name)
        for name, reason in expected.items()
        # What is fine by itself is judged beside all the others here: tests/pipeline takes each alone.
        if reason is not FINE and not any(reason in given_reason for given_reason in given.get(name, ()))
    }
    assert wrong == {}
    assert all(reason.isprintable() for reasons in given.values() for reason in reasons)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(QuarantinedPayload))
        assert connection.scalar(select(func.count()).select_from(DropCampaign))


def lootwire(engine: Engine, servers: Servers, folder: Path, *arguments: str) -> tuple[int, str, str, int]:
    """Run a command; returns its exit code, what it printed, what it complained of, and its memory at its peak."""
    code = start(engine, servers, folder, *arguments).wait()
    output, complaints, memory = ((folder / name).read_text("utf-8") for name in ("output", "complaints", "memory"))
    return code, output, complaints, int(memory) * 1024
