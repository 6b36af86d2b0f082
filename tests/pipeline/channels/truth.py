"""What really happens on channels, and what of it reaches us: messages lost, late or doubled, and polls that lag."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

from pipeline.channels.streams.observations import Observation, Polled, WentLive
from pipeline.services.twitch.records import StreamRecord
from tests.pipeline.channels.told import live, offline, polled, stream

EVERY = 5
How = Literal["new", "crash", "flap"]
Fate = Literal["lost", "at once", "late", "doubled"]


@dataclass(frozen=True)
class Run:
    """A time on air: after a break, for so long; a flap goes on with the same stream, a crash with another, at once."""

    how: How
    pause: int
    minutes: int
    online: tuple[Fate, int]
    offline: tuple[Fate, int]


@dataclass(frozen=True)
class Told:
    """An observation and when it reaches us, in minutes after noon."""

    arrives: float
    observation: Observation


@dataclass
class OnAir:
    """A true time on air."""

    key: str
    stream_id: str
    first_start: float
    start: float
    end: float

    def listed(self) -> StreamRecord:
        return stream(self.key, self.stream_id, self.first_start)


@dataclass
class Truth:
    """A day on some channels."""

    on_air: list[OnAir]
    told: list[Told]

    def ends(self) -> dict[str, float]:
        """When each stream really ended."""
        return {one.stream_id: one.end for one in sorted(self.on_air, key=lambda one: one.end)}

    def starts(self) -> dict[str, float]:
        return {one.stream_id: one.first_start for one in self.on_air}

    def heard_of(self) -> set[str]:
        """The streams that some message or poll told of."""
        found = set()
        for one in self.told:
            match one.observation:
                case WentLive(stream_id=stream_id):
                    found.add(stream_id)
                case Polled(live=listed):
                    found |= {record.stream_id for record in listed}
        return found


FATES = st.tuples(st.sampled_from(["at once", "at once", "at once", "lost", "late", "doubled"]), st.integers(1, 25))
RUNS = st.lists(
    st.builds(
        Run, st.sampled_from(["new", "new", "crash", "flap"]), st.integers(12, 60), st.integers(2, 70), FATES, FATES
    ),
    min_size=1,
    max_size=5,
)
AWAY = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 13)), max_size=2)


def happening(channels: Sequence[tuple[str, Sequence[Run]]], lag: float, away: Sequence[tuple[int, int]]) -> Truth:
    """Let runs happen on channels, polled every five minutes until half an hour after the last end.

    `away` lists when no poll gets through: the number of the first one and how many.
    """
    on_air = [one for key, runs in channels for one in _on_air(key, runs)]
    told = [one for key, runs in channels for one in _messages(key, runs)]
    over = max(one.end for one in on_air)
    missed = {number for first, many in away for number in range(first, first + many)}
    for number in range(int(over // EVERY) + 10):
        at = number * EVERY + 0.5
        if number not in missed or at > over:
            listed = [one.listed() for one in on_air if one.start <= at - lag < one.end]
            asked = [key for key, _ in channels]
            told.append(Told(at, polled(at, *listed, asked=asked)))
    return Truth(on_air, sorted(told, key=lambda one: one.arrives))


def _on_air(key: str, runs: Sequence[Run]) -> list[OnAir]:
    found: list[OnAir] = []
    for number, run in enumerate(runs):
        last = found[-1] if found else None
        if last is None or run.how == "new":
            start: float = (last.end if last else 0) + run.pause
        else:
            start = last.end + run.pause / 16
        flaps = last is not None and run.how == "flap"
        stream_id = last.stream_id if last and flaps else f"{key}-{number}"
        first_start = last.first_start if last and flaps else start
        found.append(OnAir(key, stream_id, first_start, start, start + run.minutes))
    return found


def _messages(key: str, runs: Sequence[Run]) -> list[Told]:
    told = []
    for run, one in zip(runs, _on_air(key, runs), strict=True):
        began = live(one.start, one.stream_id, key=key, start=one.first_start)
        told += [Told(minutes, began) for minutes in _arrivals(one.start, *run.online)]
        told += [Told(minutes, offline(one.end, key)) for minutes in _arrivals(one.end, *run.offline)]
    return told


def _arrivals(at: float, fate: Fate, delay: int) -> list[float]:
    return {"lost": [], "at once": [at], "late": [at + delay], "doubled": [at, at + delay]}[fate]
