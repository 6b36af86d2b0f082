"""An installation in a world that changes, for campaigns that make trouble; afterwards nothing may be lost.

A campaign makes its trouble between `World.change` and `World.settle`; `World.claims` says what holds whatever the
trouble was. What happened outlives a killed campaign where its folder does.
"""

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Engine, func, insert, select, update

from models import Channel, Delivery, DropCampaign, Event, Follow, Heartbeat, Source, StreamSession, Target
from models.vault import Vault
from pipeline.embedded import Servers
from pipeline.programs.programs import settled
from pipeline.runtime.celery_app import hint, make_app
from pipeline.runtime.runtime import KEY_FILE, utc_now
from pipeline.runtime.watchdog import WORKER
from tests.campaigns.campaign import Claim, Trial, at_least, at_most, figure, none_of
from tests.campaigns.installation import UpAsProcess, bury_the_dead, hasten, running, tracebacks
from tests.campaigns.network import Network, network
from tests.campaigns.world import (
    ChangingServices,
    JournalSink,
    OnAir,
    Streamers,
    arrivals,
    came_true,
    twitch_environment,
)
from tests.processes import free_port
from tests.twitch import LocalTwitch
from tests.waiting import wait_for

# A stream that lasted longer was on the list of some poll (each 300 s), also where EventSub's message was lost.
SURELY_SEEN = timedelta(minutes=6)
# A lease of a source and a pause after a failure, with room for a slow machine.
PATIENCE = 900.0
HURRY = {
    "LOOTWIRE_STREAMS_POLL_SECONDS": "1",
    "LOOTWIRE_DROPS_MIRROR_POLL_SECONDS": "1",
    "LOOTWIRE_KICK_POLL_SECONDS": "1",
    "LOOTWIRE_EMBEDDED_LINGER": "0.2",
}
HURRIED = ("polls (1 s)", "leases of the killed (15 s)", "pauses after a failure (none)")

_PAUSES = (Source.name == "twitch.drops") & (Source.consecutive_failures > 0)
Answer = TypeVar("Answer")
Streams = list[dict[str, str | None]]


class _Known(NamedTuple):
    """What an installation knows in the end."""

    campaigns: Counter[str]
    """How many events say that a campaign is new, by its key."""
    doubled: list[str]
    sessions: set[str]
    online: Counter[str]
    """How many events say that a channel went live, by its login."""
    titles: list[str]
    """Of the events that a target was to be told of."""
    unsent: list[str]
    retries: int
    """How often a delivery was tried once more."""


class World:
    """An installation, the world that it watches, and what it is to know of it in the end."""

    def __init__(
        self,
        trial: Trial,
        installations: Sequence[UpAsProcess],
        services: ChangingServices,
        target: JournalSink,
        streamers: Streamers,
        *,
        is_hurried: bool,
        joined: Network | None,
    ) -> None:
        """Wait for the first answer, which notifies no target, unless an earlier run has; from then on there is one."""
        self.installations, self.installation = installations, installations[0]
        self.services, self.target, self.streamers = services, target, streamers
        self.is_hurried = is_hurried
        self._joined = joined
        self._kept = trial.folder / "world.json"
        if not self._kept.exists():
            wait_for(lambda: self.ask(_has_answered), PATIENCE)
            self.ask(lambda engine: _follow(engine, streamers.logins))
            self.installation.tell(f"json{target.url.removeprefix('http')}")
            self.write_down()
        else:
            _move_target(self, target.url)

    @property
    def network(self) -> Network:
        """What lies between the hosts and their servers."""
        assert self._joined is not None, "the servers are embedded"
        return self._joined

    def ask(self, question: Callable[[Engine], Answer]) -> Answer | None:
        """Ask the database; None while it is away."""
        return self.installation.ask(question)

    def change(self, count: int, *, minutes: float) -> None:
        """Have so many campaigns appear, each for so many minutes, and streams begin and end where it is time."""
        self.services.announce(count, lasting=timedelta(minutes=minutes))
        self.streamers.turn()
        self.write_down()

    def write_down(self) -> None:
        """Keep what has happened for a run that goes on after this one; of streams those that are over."""
        over = [stream for stream in self.streamers.streams if stream.ended_at]
        streams = [
            {**vars(stream), "began_at": str(stream.began_at), "ended_at": str(stream.ended_at)} for stream in over
        ]
        ends = {key: str(end) for key, end in self.services.ends.items()}
        kept = {"now": str(self.services.now), "ends": ends, "streams": streams}
        self._kept.write_text(json.dumps(kept))

    def has_noticed(self) -> bool:
        """Whether every campaign that was announced is known."""

        def look(engine: Engine) -> bool:
            self._hurry(engine)
            with engine.connect() as connection:
                known = select(func.count()).select_from(DropCampaign).where(DropCampaign.external_id.like("camp-%"))
                return (connection.scalar(known) or 0) >= len(self.services.ends)

        return bool(self.ask(look))

    def _hurry(self, engine: Engine) -> None:
        if not self.is_hurried:
            return
        with engine.begin() as connection:
            bury_the_dead(connection)
            hasten(connection)
            connection.execute(
                update(Source).where(_PAUSES, Source.next_due_at > utc_now()).values(next_due_at=utc_now())
            )

    def settle(self, seconds: float = PATIENCE) -> float:
        """Wait until all is known, sent and published, for so many seconds at most; returns how many it took."""
        began = time.monotonic()

        def is_quiet() -> bool:
            if self.is_hurried and self.has_noticed():
                self.installation.nudge()
            # What is known first: else it might be told only after the look at what is sent.
            return self.has_noticed() and self._streams_are_known() and bool(self.ask(_is_settled))

        came_true(is_quiet, seconds)
        return time.monotonic() - began

    def _streams_are_known(self) -> bool:
        known = self.ask(_sessions) or set()
        return {stream.id for stream in self._visible()} <= known

    def _visible(self) -> list[OnAir]:
        """The streams that had to be seen: those that run, and those that lasted."""
        shortest = timedelta(0) if self.is_hurried else SURELY_SEEN
        return [stream for stream in self.streamers.streams if stream.lasted > shortest]

    def claims(self, *, may_repeat: int) -> list[Claim]:
        """Compare what is known and what was told with what happened."""
        known = self.ask(_known)
        assert known is not None, "the database must be there by now"
        came = arrivals(known.titles, self.target.texts())
        wanted = self.services.ends
        lost = [key for key in wanted if not known.campaigns[f"camp-{key}"]]
        twice = [key for key, count in known.campaigns.items() if count > 1]
        visible = self._visible()
        per_login = Counter(stream.login for stream in visible)
        return [
            none_of("changes without their event", lost),
            none_of("events twice", [*twice, *known.doubled]),
            none_of("streams missed", [stream.id for stream in visible if stream.id not in known.sessions]),
            none_of(
                "streams of which no event tells", [n for n, count in per_login.items() if known.online[n] < count]
            ),
            none_of("deliveries that were not sent", known.unsent),
            none_of("told, and never arrived", came.missing),
            # Who buries a sender early may have buried one that lived.
            at_most("messages that came twice", came.repeated, may_repeat + self.is_hurried * known.retries),
            none_of("tracebacks in the log", [line for each in self.installations for line in tracebacks(each)]),
            at_least("events told", len(known.titles), 1),
            figure("changes", len(wanted)),
            figure("streams", len(visible)),
            figure("messages", came.messages),
        ]

    def consumes_after(self, limit: float = 600) -> float:
        """Return after how many seconds a worker carries out a tick that is sent now, and each half second again.

        The ticks are those that beat sends at its own times; to wait for beat's would measure its period.
        """
        began, sent_at = time.monotonic(), utc_now()

        def has_consumed() -> bool:
            if servers := self.installation.servers():
                with make_app(servers.redis_url) as app:
                    hint(app, "tick.heartbeat", expires=5)
            beat = self.beat()
            return beat is not None and beat > sent_at

        came_true(has_consumed, limit, pause=0.5)
        return time.monotonic() - began

    def beat(self) -> datetime | None:
        """When a worker last carried out a tick."""

        def look(engine: Engine) -> datetime | None:
            with engine.connect() as connection:
                return connection.scalar(select(Heartbeat.at).where(Heartbeat.name == WORKER))

        return self.ask(look)


@contextmanager
def world(
    trial: Trial,
    *,
    is_hurried: bool,
    streamers: int = 2,
    servers: Servers | None = None,
    hosts: int = 1,
    environment: Mapping[str, str] | None = None,
    pace: int | None = None,
) -> Iterator[World]:
    """An installation in a changing world; one that is hurried asks each second, and its dead are buried soon.

    With servers it reaches these by a network, and may have several hosts. `pace` is how often, in seconds, the mirror
    wants to be asked, a minute unless somebody is in a hurry.
    """
    # Whoever runs PostgreSQL for a root without user namespaces must reach it.
    trial.folder.chmod(0o755)
    kept = _kept(trial.folder)
    ends = {key: datetime.fromisoformat(end) for key, end in kept["ends"].items()}
    began_at = datetime.fromisoformat(kept["now"]) if kept["now"] else datetime.now(UTC)
    with ExitStack() as stack:
        services = stack.enter_context(
            ChangingServices(began_at, ends, refresh_interval_seconds=pace or (1 if is_hurried else 60))
        )
        target = stack.enter_context(JournalSink(trial.folder / "messages"))
        twitch = stack.enter_context(LocalTwitch())
        variables = {**services.addresses, **twitch_environment(twitch), **(HURRY if is_hurried else {})}
        variables |= environment or {}
        urls = [url for url in (*variables.values(), target.url) if "://" in url]
        joined = stack.enter_context(network(servers, urls, hosts=hosts)) if servers else None
        logins = [f"streamer{number}" for number in range(streamers)]
        for number, login in enumerate(logins):
            twitch.add_user(login, str(1000 + number))
        # Away for longer than a flap and a poll, so that each stream is a story of its own.
        bounds = ((600.0, 601.0), (0.0, 0.001)) if is_hurried else ((7.0, 12.0), (17.0, 22.0))
        acting = Streamers(twitch, logins, trial.dice, *bounds, streams=list(map(_stream, kept["streams"])))
        installations = [
            stack.enter_context(running(each)) for each in _installations(trial.folder, variables, servers, joined)
        ]
        yield World(trial, installations, services, target, acting, is_hurried=is_hurried, joined=joined)


def _installations(
    folder: Path, variables: Mapping[str, str], servers: Servers | None, joined: Network | None
) -> Iterator[UpAsProcess]:
    """Make an installation for each host; all have the same key, as an operator would copy it."""
    if joined is None:
        yield UpAsProcess(folder / "data", free_port(), variables)
        return
    for number, host in enumerate(joined.hosts):
        data = folder / f"data{number}"
        data.mkdir(mode=0o700, exist_ok=True)
        if not number:
            # Makes the key where there is none.
            Vault.open(data / KEY_FILE)
        elif not (data / KEY_FILE).exists():
            shutil.copy(folder / "data0" / KEY_FILE, data / KEY_FILE)
        reached = {"DATABASE_URL": host.servers.database_url, "REDIS_URL": host.servers.redis_url}
        yield UpAsProcess(data, free_port(), {**variables, **reached}, servers=servers, within=host.within)


_NOTHING: Mapping[str, Any] = {"now": None, "ends": {}, "streams": []}


def _kept(folder: Path) -> Mapping[str, Any]:
    file = folder / "world.json"
    kept: Mapping[str, Any] = json.loads(file.read_text()) if file.exists() else _NOTHING
    return kept


def _stream(kept: Mapping[str, str]) -> OnAir:
    times = datetime.fromisoformat(kept["began_at"]), datetime.fromisoformat(kept["ended_at"])
    return OnAir(kept["id"], kept["login"], *times)


def _move_target(world: World, url: str) -> None:
    """Tell the installation of an earlier run where the target is now."""
    vault = Vault.open(world.installation.data_dir / KEY_FILE)
    encrypted = vault.encrypt(f"json{url.removeprefix('http')}")

    def move(engine: Engine) -> None:
        with engine.begin() as connection:
            connection.execute(update(Target).values(url_encrypted=encrypted))

    world.ask(move)


def _has_answered(engine: Engine) -> bool:
    with engine.connect() as connection:
        query = select(Source.first_fetched_at).where(Source.name == "twitch.drops")
        return connection.scalar(query) is not None


def _follow(engine: Engine, logins: Sequence[str]) -> None:
    since = datetime.now(UTC) - timedelta(days=1)
    rows = [
        {"service": "twitch", "external_id": str(1000 + number), "login": login, "first_seen_at": since}
        for number, login in enumerate(logins)
    ]
    with engine.begin() as connection:
        ids = connection.scalars(insert(Channel).values(rows).returning(Channel.id)).all()
        follows = [{"kind": "channel", "channel_id": channel_id, "created_at": since} for channel_id in ids]
        connection.execute(insert(Follow).values(follows))


def _is_settled(engine: Engine) -> bool:
    return settled(engine)


def _sessions(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(select(StreamSession.stream_id)))


def _known(engine: Engine) -> _Known:
    added = (
        select(DropCampaign.external_id, func.count())
        .join(Event, Event.campaign_id == DropCampaign.id)
        .where(Event.kind == "campaign.added")
        .group_by(DropCampaign.external_id)
    )
    again = (
        select(Event.title)
        .where(Event.kind.in_(["campaign.ended", "campaign.started"]))
        .group_by(Event.title, Event.kind)
        .having(func.count() > 1)
    )
    online = (
        select(Channel.login, func.count())
        .join(Event, Event.channel_id == Channel.id)
        .where(Event.kind == "stream.online")
        .group_by(Channel.login)
    )
    deliveries = select(Event.title, Delivery.state, Delivery.attempts).join(Event, Event.id == Delivery.event_id)
    with engine.connect() as connection:
        sent = connection.execute(deliveries).all()
        return _Known(
            campaigns=Counter(dict(row.tuple() for row in connection.execute(added))),
            doubled=list(connection.scalars(again)),
            sessions=set(connection.scalars(select(StreamSession.stream_id))),
            online=Counter(dict(row.tuple() for row in connection.execute(online))),
            titles=[title for title, _, _ in sent],
            unsent=[f"{title} ({state})" for title, state, _ in sent if state != "sent"],
            retries=sum(max(0, attempts - 1) for _, _, attempts in sent),
        )
