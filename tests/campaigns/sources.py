"""Every source, and every kind of bad answer that a service may give it.

A process fetches as a worker does, from fronts that give a bad answer in place of the good one, and then a good one
again; what is larger than any real answer comes to a process that fetches one after the other, as a worker's does. Each
source is to say that it fails, to come back by itself, and to take nothing for ended; the process is to be neither held
nor filled. In the end `up` runs with two services that drip: the third is to be asked nearly as before.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipeline import embedded
from pipeline.embedded import Servers
from pipeline.ingest.fetching import SLOW_AFTER
from tests.bad_answers import Bad, kinds
from tests.campaigns.campaign import Claim, Size, Trial, at_least, at_most, figure, none_of
from tests.campaigns.every_source import EverySource, every_source
from tests.campaigns.fetcher import Fetch, Fetcher
from tests.campaigns.pace import pauses
from tests.waiting import folder_of_processes

MOST_MEMORY_MB = 300
# A worker stops a fetch that takes longer.
LONGEST_FETCH = 240.0
MOST_GOOD = 4
# How often due sources are handed out: one that waits for a process is late by no more.
TICK_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Sources(Size):
    """`deadline` and `silence` are in seconds, the product's own where None; 0 kinds are all of them.

    `pace_seconds` is how long `up` runs beside a service that drips; 0 leaves that to the full form.
    """

    kinds_a_source: int
    pace_seconds: float = 0
    deadline: float | None = None
    silence: float | None = None


SHORT = Sources(
    kinds_a_source=3,
    deadline=1.5,
    silence=1.0,
    shortens=("a request may take 1.5 s (60 s) and be silent for 1 s (20 s)", "the pace of others is not looked at"),
)
FULL = Sources(kinds_a_source=0, pace_seconds=150)


@dataclass
class Seen:
    """What went otherwise than promised, and the figures."""

    fetches: int = 0
    seconds: float = 0.0
    # Of the process that fetches one after the other, and of the one that fetches all sources at once.
    memory_mb: float = 0.0
    memory_of_all_mb: float = 0.0
    crashes: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    not_back: list[str] = field(default_factory=list)
    asked_nothing: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, fetch: Fetch, *, is_alone: bool = False) -> None:
        """Take down a fetch."""
        with self.lock:
            self.fetches += 1
            self.seconds = max(self.seconds, fetch.seconds)
            if is_alone:
                self.memory_mb = max(self.memory_mb, fetch.memory_mb)
            else:
                self.memory_of_all_mb = max(self.memory_of_all_mb, fetch.memory_mb)
            if fetch.crashed:
                self.crashes.append(f"{what}: {fetch.crashed.strip().splitlines()[-1]}")


def run(size: Sources, trial: Trial) -> Sequence[Claim]:
    """Fetch every source through its kinds of bad answers, side by side."""
    with _servers() as servers, every_source(servers, trial.folder) as world:
        limits = {"deadline": size.deadline, "silence": size.silence}
        with (
            Fetcher(servers.database_url, world.surroundings, **limits) as fetcher,
            Fetcher(servers.database_url, world.surroundings, **limits) as alone,
        ):
            claims = _try(world, fetcher, alone, size, trial)
    return [*claims, *_keep_pace(size.pace_seconds, trial)]


@contextmanager
def _servers() -> Iterator[Servers]:
    with folder_of_processes() as folder:
        try:
            yield embedded.ensure(folder / "servers")
        finally:
            # What the end of this process would do: the servers stop when nobody holds this lock.
            for lock in embedded._held.values():
                os.close(lock)
            embedded._held.clear()


def _try(world: EverySource, fetcher: Fetcher, alone: Fetcher, size: Sources, trial: Trial) -> Sequence[Claim]:
    seen = Seen()
    with ThreadPoolExecutor(len(world.surroundings)) as pool:
        for _ in range(2):
            list(pool.map(lambda name: _come_back(world, fetcher, name, "at first", seen), world.surroundings))
    before = world.ends()
    plan = _plan(list(world.surroundings), size, trial)
    tried = {kind for chosen in plan.values() for kind in chosen}
    trial.say(f"{len(plan)} sources, {len(tried)} kinds of bad answers, {sum(map(len, plan.values()))} in all")
    turn = threading.Lock()
    with ThreadPoolExecutor(len(plan)) as pool:
        rounds = [
            pool.submit(_rounds, world, fetcher, alone, turn, name, chosen, seen) for name, chosen in plan.items()
        ]
        for each in rounds:
            each.result()
    return [
        at_least("kinds of bad answers", len(tried), 40),
        figure("fetches", seen.fetches),
        at_most("longest fetch", seen.seconds, LONGEST_FETCH, "s"),
        at_most("most memory of a process that fetches", seen.memory_mb, MOST_MEMORY_MB, "MB"),
        figure("that of one that fetches all sources at once", seen.memory_of_all_mb, "MB"),
        none_of("sources that were not asked", sorted(set(seen.asked_nothing))),
        none_of("errors that are not a source's", seen.crashes),
        none_of("bad answers of which the source says nothing", seen.silent),
        none_of("sources that did not come back by themselves", seen.not_back),
        none_of("things that were taken for ended", world.ends()[len(before) :]),
        none_of("requests that were led to a machine around us", ["once"] if world.is_trapped() else []),
    ]


def _keep_pace(seconds: float, trial: Trial) -> Sequence[Claim]:
    if not seconds:
        return []
    trial.say(f"`up` beside a mirror and a Kick that drip, {seconds:g} s")
    before, meanwhile = pauses(seconds)
    # What is not known to be slow may hold the last process until it is.
    bound = before + SLOW_AFTER.total_seconds() + TICK_SECONDS
    return [
        figure("longest pause between requests to CHZZK", before, "s"),
        at_most("the same while the mirror and Kick drip", meanwhile, bound, "s"),
    ]


def _plan(names: Sequence[str], size: Sources, trial: Trial) -> dict[str, list[str]]:
    """Say which kinds each source gets, and in which order; all kinds come to some source."""
    everything = list(kinds())
    if not size.kinds_a_source:
        return {name: trial.dice.sample(everything, len(everything)) for name in names}
    dealt: list[str] = []
    while len(dealt) < size.kinds_a_source * len(names):
        dealt += trial.dice.sample(everything, len(everything))
    return {name: dealt[nth :: len(names)][: size.kinds_a_source] for nth, name in enumerate(names)}


def _rounds(
    world: EverySource,
    fetcher: Fetcher,
    alone: Fetcher,
    turn: threading.Lock,
    name: str,
    chosen: Sequence[str],
    seen: Seen,
) -> None:
    for kind in chosen:
        bad = kinds()[kind]
        if bad.heavy:
            with turn:
                _bad(world, alone, name, kind, bad, seen)
        else:
            _bad(world, fetcher, name, kind, bad, seen)
        _come_back(world, fetcher, name, f"after {kind}", seen)


def _bad(world: EverySource, fetcher: Fetcher, name: str, kind: str, bad: Bad, seen: Seen) -> None:
    world.make_due(name)
    before = len(world.front.asked[name])
    world.front.bad[name] = bad
    fetch = fetcher.fetch(name)
    del world.front.bad[name]
    seen.note(f"{name}, {kind}", fetch, is_alone=bad.heavy)
    if len(world.front.asked[name]) == before:
        seen.asked_nothing.append(name)
    row = world.row(name)
    if not (bad.bearable or row["consecutive_failures"] or row["changed_since"] or fetch.error):
        seen.silent.append(f"{name}: {kind}")


def _come_back(world: EverySource, fetcher: Fetcher, name: str, when: str, seen: Seen) -> None:
    """Fetch good answers: with time limits this short, a slow machine needs several."""
    problems = [_good(world, fetcher, name, when, seen)]
    while problems[-1] is not None and len(problems) < MOST_GOOD:
        problems.append(_good(world, fetcher, name, when, seen))
    if problems[-1] is not None:
        seen.not_back.append(problems[-1])


def _good(world: EverySource, fetcher: Fetcher, name: str, when: str, seen: Seen) -> str | None:
    world.make_due(name)
    fetch = fetcher.fetch(name)
    seen.note(f"{name}, {when}", fetch)
    row = world.row(name)
    if row["consecutive_failures"] or row["failing_since"] or fetch.outcome in {None, "failed"}:
        return f"{name} {when}: {fetch.error}"
    return None
