"""Streams as they really are, and the observations that reach us: messages lost, late or doubled, lagging polls."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

from pipeline.channels.streams.observations import Observation, Polled, WentLive
from pipeline.services.twitch.records import StreamRecord
from tests.pipeline.channels.observations import live, offline, polled, stream

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
class Arrival:
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
    arrivals: list[Arrival]

    def ends(self) -> dict[str, float]:
        """When each stream really ended."""
        return {stream.stream_id: stream.end for stream in sorted(self.on_air, key=lambda stream: stream.end)}

    def starts(self) -> dict[str, float]:
        return {stream.stream_id: stream.first_start for stream in self.on_air}

    def heard_of(self) -> set[str]:
        """Return the streams that at least one message or poll named."""
        stream_ids = set()
        for arrival in self.arrivals:
            match arrival.observation:
                case WentLive(stream_id=stream_id):
                    stream_ids.add(stream_id)
                case Polled(live=listed):
                    stream_ids |= {record.stream_id for record in listed}
        return stream_ids


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
    on_air = [stream for key, runs in channels for stream in _on_air(key, runs)]
    arrivals = [arrival for key, runs in channels for arrival in _messages(key, runs)]
    over = max(stream.end for stream in on_air)
    missed = {number for first, many in away for number in range(first, first + many)}
    for number in range(int(over // EVERY) + 10):
        at = number * EVERY + 0.5
        if number not in missed or at > over:
            listed = [stream.listed() for stream in on_air if stream.start <= at - lag < stream.end]
            keys = [key for key, _ in channels]
            arrivals.append(Arrival(at, polled(at, *listed, channels=keys)))
    return Truth(on_air, sorted(arrivals, key=lambda arrival: arrival.arrives))


def _on_air(key: str, runs: Sequence[Run]) -> list[OnAir]:
    streams: list[OnAir] = []
    for number, run in enumerate(runs):
        last = streams[-1] if streams else None
        if last is None or run.how == "new":
            start: float = (last.end if last else 0) + run.pause
        else:
            start = last.end + run.pause / 16
        flaps = last is not None and run.how == "flap"
        stream_id = last.stream_id if last and flaps else f"{key}-{number}"
        first_start = last.first_start if last and flaps else start
        streams.append(OnAir(key, stream_id, first_start, start, start + run.minutes))
    return streams


def _messages(key: str, runs: Sequence[Run]) -> list[Arrival]:
    arrivals = []
    for run, on_air in zip(runs, _on_air(key, runs), strict=True):
        began = live(on_air.start, on_air.stream_id, key=key, start=on_air.first_start)
        arrivals += [Arrival(minutes, began) for minutes in _arrivals(on_air.start, *run.online)]
        arrivals += [Arrival(minutes, offline(on_air.end, key)) for minutes in _arrivals(on_air.end, *run.offline)]
    return arrivals


def _arrivals(at: float, fate: Fate, delay: int) -> list[float]:
    return {"lost": [], "at once": [at], "late": [at + delay], "doubled": [at, at + delay]}[fate]
