"""The pure core's decisions so far, kept in memory: all sessions, parts, snapshots and news."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from pipeline.channels.streams.deciding import decide
from pipeline.channels.streams.observations import Observation
from pipeline.channels.streams.sessions import News, Segment, Session, Snapshot, Terms
from tests.pipeline.channels.observations import ANN, FLAP, LIGHTS, NOON, ORBIT, RUNNER, at

GAME_IDS = {LIGHTS: 1, RUNNER: 2, ORBIT: 3}


@dataclass
class Ledger:
    """Channels are followed since a day before noon; times are minutes after noon."""

    since: Mapping[str, datetime] = field(default_factory=lambda: {ANN: at(-1440)})
    categories: Mapping[int, datetime] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    segments: dict[tuple[str, datetime], Segment] = field(default_factory=dict)
    snapshots: list[Snapshot] = field(default_factory=list)
    news: list[News] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ids = count(1)

    def hear(self, *observations: Observation, now: float | None = None) -> None:
        """Take in observations at once, at the time of the last one or so many minutes after noon."""
        moment = max(observation.at for observation in observations) if now is None else at(now)
        terms = Terms(now=moment, flap=FLAP, since=self.since, categories=self.categories, games=GAME_IDS)
        decision = decide(list(self.sessions.values()), observations, terms)
        for session in decision.sessions:
            row_id = session.id or next(self._ids)
            self.sessions[session.stream_id] = msgspec.structs.replace(session, id=row_id)
        self.segments |= {(part.stream_id, part.started_at): part for part in decision.segments}
        self.snapshots += decision.snapshots
        self.news += decision.news

    def tell(self) -> None:
        """Mark all ends as announced, as if the clock had moved on."""
        self.sessions = {
            key: session if session.open else msgspec.structs.replace(session, told_at=session.ended_at)
            for key, session in self.sessions.items()
        }

    @property
    def times(self) -> dict[str, tuple[float, float | None]]:
        """When each stream began and ended, in minutes after noon."""
        ordered = sorted(self.sessions.values(), key=lambda session: session.started_at)
        return {s.stream_id: (minutes(s.started_at), minutes(s.ended_at)) for s in ordered}

    @property
    def stories(self) -> dict[str, str]:
        return {key: session.story for key, session in self.sessions.items()}

    @property
    def announced(self) -> list[str]:
        """The news in order: `online s1`, `title_changed s1`."""
        return [f"{news.kind.split('.')[1]} {news.session.stream_id}" for news in self.news]

    def parts(self, stream_id: str = "s1") -> list[tuple[float | None, str | None, int | None]]:
        parts = sorted((p for p in self.segments.values() if p.stream_id == stream_id), key=lambda p: p.started_at)
        return [(minutes(p.started_at), p.title, p.game_id) for p in parts]


def minutes(moment: datetime | None) -> Any:
    return None if moment is None else (moment - NOON) / timedelta(minutes=1)
