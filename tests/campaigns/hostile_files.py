"""Hundreds of hostile files in one import: it goes on, gives each its reason, and needs little memory.

Among them are archives and JSON made to take time or memory, links, a pipe, and a name that is no text.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from models import DropCampaign, QuarantinedPayload
from tests.campaigns.campaign import Claim, Size, Trial, at_least, at_most, exactly, none_of
from tests.campaigns.own_servers import own_databases
from tests.campaigns.program import start
from tests.hostile import FINE, write_all

MOST_MEMORY_MB = 300
# Done, with something set aside.
SET_ASIDE = 3


@dataclass(frozen=True, kw_only=True)
class Files(Size):
    """How many of the hostile files are imported, drawn by chance; None for all of them."""

    drawn: int | None = None


FULL = Files()
SHORT = Files(drawn=60)


def run(size: Files, trial: Trial) -> Sequence[Claim]:
    """Write the files, import their folder in a process of its own, and read what it says of each."""
    folder = trial.folder / "hostile"
    folder.mkdir()
    expected = write_all(folder)
    if size.drawn is not None:
        kept = set(trial.dice.sample(sorted(expected), size.drawn))
        for name in expected.keys() - kept:
            (folder / name).unlink()
        expected = {name: expected[name] for name in kept}
    with own_databases() as own, own.databases.new() as engine:
        code = start(engine, own.servers, trial.folder, "import", str(folder), "--json").wait()
        with engine.connect() as connection:
            campaigns = connection.scalar(select(func.count()).select_from(DropCampaign)) or 0
            quarantined = connection.scalar(select(func.count()).select_from(QuarantinedPayload)) or 0
    printed, complaints, memory = (
        (trial.folder / name).read_text("utf-8") for name in ("output", "complaints", "memory")
    )
    summary = json.loads(printed)
    reasons = _reasons(summary, folder)
    return [
        exactly("exit code", code, SET_ASIDE),
        none_of("lines on standard error", complaints.splitlines()),
        at_least("files that were read", summary["files"], len(expected)),
        none_of("files whose reason is another", _wrong(expected, reasons)),
        none_of("reasons that cannot be printed", [r for r in chain(*reasons.values()) if not r.isprintable()]),
        *([at_least("campaigns stored of what is fine among them", campaigns, 1)] if size.drawn is None else []),
        at_least("payloads set aside", quarantined, 1),
        at_most("memory at its peak", int(memory) / 1024, MOST_MEMORY_MB, "MB"),
    ]


def _reasons(summary: Mapping[str, Any], folder: Path) -> dict[str, list[str]]:
    """Return the reasons that an import gave, by the name of the file."""
    reasons: dict[str, list[str]] = {}
    for aside in summary["quarantined"]:
        name = aside["path"].removeprefix(f"{folder}/").partition(":")[0]
        reasons.setdefault(name, []).append(aside["reason"])
    return reasons


def _wrong(expected: Mapping[str, str | None], reasons: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what was said of files of which something else is true.

    What is fine by itself is judged beside all the others here: tests/pipeline takes each alone.
    """
    return [
        f"{name}: {reasons.get(name)}"
        for name, reason in expected.items()
        if reason is not FINE and not any(reason in given for given in reasons.get(name, ()))
    ]
