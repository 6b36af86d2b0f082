"""Ingest, match and deliver, with crashes at named points and in any order: nothing is lost or doubled.

hypothesis chooses what comes, and when, and finds the shortest way to what is broken.

Beside the database that is disturbed stands a twin that sees the same and is not: each thing that happened in the one
happens in the other, so their events and deliveries are the same at every moment. At the end all that was begun is
settled, and each message has arrived.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.campaigns.campaign import Claim, Size, Trial, at_least, none_of
from tests.disturbed import POINTS, Surroundings, machine, surroundings
from tests.waiting import folder_of_processes

# Examples that one run of hypothesis makes; what is done is remembered after each.
CHUNK = 25


@dataclass(frozen=True, kw_only=True)
class Machines(Size):
    """How many runs of the machine there are, of how many steps; `at_once` work beside each other.

    With `shrinks` the shortest way to a broken invariant is looked for, which takes minutes.
    """

    examples: int
    steps: int
    at_once: int
    shrinks: bool


class Chunk(msgspec.Struct):
    """What one process has done: examples, how often each point struck, and what went wrong."""

    examples: int
    struck: dict[str, int]
    failures: list[str]


FULL = Machines(examples=2_000, steps=50, at_once=4, shrinks=True)
SHORT = Machines(examples=6, steps=25, at_once=1, shrinks=False)


def run(size: Machines, trial: Trial) -> Sequence[Claim]:
    """Run the machine."""
    starts = range(0, size.examples, CHUNK)
    sizes = {start: min(CHUNK, size.examples - start) for start in starts}
    work = [partial(_chunk, trial.seed + start, count, size, trial.folder) for start, count in sizes.items()]
    chunks: list[Chunk] = []
    for chunk in _carried_out(work, size.at_once):
        chunks.append(chunk)
        trial.say(f"{sum(done.examples for done in chunks)} of {size.examples} examples")
    struck = sum((Counter(chunk.struck) for chunk in chunks), Counter[str]())
    return [
        at_least("examples", sum(chunk.examples for chunk in chunks), size.examples),
        at_least("crashes", struck.total(), size.examples // 4),
        at_least("points that were struck", len(struck), len(POINTS) if size.examples >= 100 else 1),
        none_of("broken invariants", [failure for chunk in chunks for failure in chunk.failures]),
    ]


def _carried_out(work: Sequence[Callable[[], Chunk]], at_once: int) -> Iterator[Chunk]:
    if at_once == 1:
        yield from (each() for each in work)
        return
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as processes:
        for future in [processes.submit(each) for each in work]:
            yield future.result()


def _chunk(first_seed: int, examples: int, size: Machines, folder: Path) -> Chunk:
    """Run some examples, or return what an earlier run of them came to."""
    kept = folder / f"{first_seed}-{examples}-{size.steps}.json"
    if kept.exists():
        return msgspec.json.decode(kept.read_bytes(), type=Chunk)
    logging.disable(logging.CRITICAL)
    try:
        with folder_of_processes() as place, surroundings(place / "servers") as around:
            chunk = _examples(around, first_seed, examples, size)
    finally:
        logging.disable(logging.NOTSET)
    kept.write_bytes(msgspec.json.encode(chunk))
    return chunk


def _examples(around: Surroundings, first_seed: int, examples: int, size: Machines) -> Chunk:
    failures = []
    options = settings(
        max_examples=examples,
        stateful_step_count=size.steps,
        deadline=None,
        database=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink) if size.shrinks else (Phase.generate,),
        print_blob=False,
    )
    try:
        run_state_machine_as_test(seed(first_seed)(machine(around)), settings=options)
    except Exception as error:  # noqa: BLE001 - it is what we look for
        notes = " ".join(getattr(error, "__notes__", []))
        failures.append(f"seed {first_seed}: {type(error).__name__}: {error} {notes}")
    return Chunk(examples, dict(around.struck + around.sink.struck), failures)
