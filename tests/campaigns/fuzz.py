"""Fuzzing: whatever bytes a service, a file or a person gives, a parser raises an error of ours or reads them.

The short form changes real inputs by itself, in this process. The full one runs each parser under coverage guidance
(atheris, of the dependency group `fuzz`), several at a time, and goes on where `--resume` finds an earlier run.
"""

import importlib.util
import logging
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.campaigns.campaign import CannotRun, Claim, Size, Trial, at_least, at_most, none_of
from tests.fuzzing.faults import Faults
from tests.fuzzing.mutation import mutated
from tests.fuzzing.parsers import Parser, all_parsers, fault_of

ROOT = Path(__file__).resolve().parents[2]
# A small input that takes longer than this costs more than it should; a machine under load may add some.
SLOWEST = 5.0
# libFuzzer's own exit codes for an input that took too long, or too much memory.
CODES = {
    70: "an input that took a minute",
    71: "an input that took two gigabytes",
    77: "an input that ended the process",
}


@dataclass(frozen=True, kw_only=True)
class Fuzzing(Size):
    """How many inputs each parser gets, and whether atheris chooses them by what they reach."""

    inputs_each: int
    guided: bool


FULL = Fuzzing(inputs_each=1_000_000, guided=True)
SHORT = Fuzzing(inputs_each=1_500, guided=False)


def run(size: Fuzzing, trial: Trial) -> Sequence[Claim]:
    """Try inputs at every parser."""
    parsers = all_parsers()
    results = _guided(size, trial, parsers) if size.guided else [_changed(p, size, trial) for p in parsers.values()]
    return [
        at_least("parsers", len(results), len(parsers)),
        at_least("fewest inputs at a parser", min(result.tried for result in results), size.inputs_each),
        none_of("errors that are none of ours", [f"{r.parser}: {fault}" for r in results for fault in r.faults]),
        at_most("slowest input", max(result.slowest for result in results), SLOWEST, "s"),
    ]


@dataclass(frozen=True)
class Result:
    """How a parser did; `slowest` is in seconds, and known to the minute where libFuzzer watches."""

    parser: str
    tried: int
    faults: Sequence[str]
    slowest: float = 0.0


def _changed(parser: Parser, size: Fuzzing, trial: Trial) -> Result:
    """Change real inputs by the dice of the seed."""
    dice = random.Random(f"{trial.seed} {parser.name}")  # noqa: S311 - the same run for the same seed
    faults, slowest = Faults(_folder(trial, parser.name)), 0.0
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        for number in range(size.inputs_each):
            seeds = parser.seeds
            data = seeds[number] if number < len(seeds) else mutated(dice, dice.choice(seeds), seeds)
            began = time.process_time()
            if (fault := fault_of(parser, data)) is not None:
                faults.keep(data, fault)
            slowest = max(slowest, time.process_time() - began)
    finally:
        logging.disable(before)
    return Result(parser.name, size.inputs_each, faults.listed(), slowest)


def _guided(size: Fuzzing, trial: Trial, parsers: dict[str, Parser]) -> list[Result]:
    if importlib.util.find_spec("atheris") is None:
        raise CannotRun(
            "atheris is not installed: `uv sync --group fuzz` does it on Linux (x86-64) with Python 3.11 to 3.13"
        )
    with ThreadPoolExecutor(os.cpu_count() or 1) as at_once:
        return list(at_once.map(lambda name: _in_a_process(name, size, trial), parsers))


def _in_a_process(name: str, size: Fuzzing, trial: Trial) -> Result:
    folder = _folder(trial, name)
    counted = folder / "done"
    # A process that ends early (an input takes it down) leaves a note; another one goes on behind that input.
    ends: list[str] = []
    while _count(counted) < size.inputs_each and len(ends) < 3:
        seed = trial.seed + len(ends)
        command = [
            sys.executable,
            "-m",
            "tests.fuzzing.instrumented",
            name,
            str(seed),
            str(size.inputs_each),
            str(folder),
        ]
        with (folder / "log").open("ab") as log:
            code = subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, check=False).returncode
        if code:
            ends.append(CODES.get(code, f"a process that ended with {code}"))
    trial.say(f"{name}: {_count(counted):,} inputs")
    return Result(name, _count(counted), [*Faults(folder).listed(), *ends])


def _count(counted: Path) -> int:
    return int(counted.read_text()) if counted.exists() else 0


def _folder(trial: Trial, name: str) -> Path:
    folder = trial.folder / "".join(sign if sign.isalnum() else "-" for sign in name)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
