"""An installation with every source there is, and a front before each service that can give any answer instead."""

import http.client
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import Engine, RowMapping, func, insert, select, update

from models import Channel, Event, Source, WantedGame
from models.events import EventKind
from models.vault import Vault
from pipeline.channels.following.follows import follow, follow_drops
from pipeline.database.connecting import connect, migrate
from pipeline.demo.clock import STEPS
from pipeline.demo.services import DemoServices
from pipeline.embedded import Servers
from pipeline.fetch.http import Client
from pipeline.fetch.limiter import connect_redis
from pipeline.games.following.follows import follow_game
from pipeline.games.mirror.state import MIRROR, MirrorState
from pipeline.ingest.fetching import fetch_source
from pipeline.programs import sources
from pipeline.runtime.runtime import KEY_FILE, Runtime, utc_now
from pipeline.runtime.settings import Settings
from pipeline.services.twitch.account import sign_in
from pipeline.services.twitch.graphql_answers import DASHBOARD, DETAILS, INVENTORY
from pipeline.services.twitch.sign_in import Tokens, TwitchAuth
from tests.bad_answers import Bad, Good, Piece, whole
from tests.igdb.games import games
from tests.igdb.local import LocalIgdb
from tests.igdb.tokens import tokens_of
from tests.pipeline.builders import campaign
from tests.raw_server import Asked, RawServer
from tests.twitch import LocalTwitch
from tests.twitch.dashboard import CLIENT_ID, HASHES

FOLLOWED_GAMES = 3
ENDS = (
    EventKind.CAMPAIGN_ENDED,
    EventKind.CAMPAIGN_WITHDRAWN,
    EventKind.REWARD_ENDED,
    EventKind.STREAM_OFFLINE,
    EventKind.RELEASE_CANCELLED,
)
LOGINS = [f"streamer{number}" for number in range(6)]
# Of one connection: not sent on, or said anew.
_HOP = frozenset({"connection", "content-length", "transfer-encoding", "content-encoding", "server", "date"})


class Front(RawServer):
    """Stands before every service; what comes for a source of a kind of bad answer gets that one.

    The first part of a path names the source, the second one the service.
    """

    def __init__(self, services: Mapping[str, str], trap: str) -> None:
        super().__init__(self._pieces)
        self._services = services
        self._trap = trap
        self.bad: dict[str, Bad] = {}
        # When each source asked, by the monotonic clock.
        self.asked: defaultdict[str, list[float]] = defaultdict(list)

    def address(self, source: str, service: str) -> str:
        """The base address of a service as a source has it."""
        return f"{self.url}/{source}/{service}"

    def _pieces(self, asked: Asked) -> Iterator[Piece]:
        _, source, service, rest = f"{asked.path}/".split("/", 3)
        self.asked[source].append(time.monotonic())
        bad = self.bad.get(source)
        good = self._pass_on(asked, self._services[service], rest.removesuffix("/"), unconditionally=bad is not None)
        yield from iter([whole(good)]) if bad is None else bad.pieces(good)

    def _pass_on(self, asked: Asked, service: str, rest: str, *, unconditionally: bool) -> Good:
        base = urlsplit(service)
        left_out = {"host", "accept-encoding", "connection"}
        if unconditionally:
            left_out |= {"if-none-match", "if-modified-since"}
        headers = {name: value for name, value in asked.headers.items() if name not in left_out}
        connection = http.client.HTTPConnection(base.hostname or "", base.port, timeout=60)
        try:
            # Several addresses are one without a path of its own: GraphQL's.
            path = "/".join(part for part in (base.path.rstrip("/"), rest) if part) or "/"
            connection.request(asked.method, path, asked.body or None, headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
        return Good(body, answer.status, kept, self._trap)


class Surroundings(NamedTuple):
    """What a source has for itself: its addresses lead through the front, and its rate limits are nobody else's."""

    settings: Mapping[str, Any]
    redis_url: str


class EverySource:
    """The sources with their rows, what they are asked by, and what came of it."""

    def __init__(self, front: Front, engine: Engine, surroundings: Mapping[str, Surroundings], trap: RawServer) -> None:
        self.surroundings = surroundings
        self.front = front
        self.engine = engine
        self._trap = trap

    def is_trapped(self) -> bool:
        """Whether anybody was led to the machine around us."""
        return self._trap.connections > 0

    def make_due(self, name: str) -> None:
        """Let everything that a source may ask for be due, as if all of its waits were over."""
        now, before = utc_now(), utc_now() - timedelta(seconds=1)
        values: dict[str, Any] = {"next_due_at": before}
        if name == MIRROR:
            values["cursor"] = _swept(now)
        elif name.startswith("igdb."):
            values["cursor"] = {}
        with connect_redis(self.surroundings[name].redis_url) as redis:
            for key in redis.scan_iter("lootwire:limit:*"):
                redis.delete(key)
        with self.engine.begin() as connection:
            connection.execute(update(Source).where(Source.name == name).values(**values))
            if name == "igdb.wanted":
                connection.execute(update(WantedGame).values(next_due_at=before))
            if name == "twitch.videos":
                connection.execute(
                    update(Channel).where(Channel.videos_due_at.is_not(None)).values(videos_due_at=before)
                )

    def row(self, name: str) -> RowMapping:
        """The row of a source."""
        with self.engine.connect() as connection:
            return connection.execute(select(*Source.__table__.c).where(Source.name == name)).mappings().one()

    def ends(self) -> list[str]:
        """The titles of all events that say that something is over or gone."""
        query = select(func.concat(Event.kind, " ", Event.title)).where(Event.kind.in_(ENDS)).order_by(Event.id)
        with self.engine.connect() as connection:
            return list(connection.scalars(query))


@contextmanager
def every_source(servers: Servers, folder: Path) -> Iterator[EverySource]:
    """Start the services and the front, and register every source, each with addresses of its own."""
    engine = connect(servers.database_url)
    migrate(engine)
    vault = Vault.open(folder / KEY_FILE)
    with (
        LocalTwitch() as twitch,
        LocalIgdb(accepts=tokens_of(twitch)) as igdb,
        DemoServices(datetime.now(UTC)) as demo,
        RawServer(lambda _: iter([b""])) as trap,
    ):
        igdb.limits.per_second = igdb.limits.most_open = None
        igdb.put(*games(1, 20))
        for _ in range(STEPS):
            # The last hour of the history is now, and what it lists goes on.
            demo.advance()
        _fill_twitch(twitch)
        services = {
            "mirror": demo.mirror_url,
            "kick": demo.kick_url,
            "chzzk": demo.chzzk_url,
            "helix": twitch.helix_url,
            "gql": twitch.dashboard.gql_url,
            "igdb": igdb.url,
        }
        with Front(services, f"{trap.url}/secret") as front:
            settings = _settings(front, twitch, folder)
            runtime = Runtime(
                settings=Settings(**settings("all")), database_url=servers.database_url, redis_url=servers.redis_url
            )
            _prepare(runtime, engine, twitch, vault)
            names = [source.name for source in sources.sources(runtime)]
            surroundings = {
                name: Surroundings(settings(name), servers.redis_url.replace("?db=0", f"?db={number}"))
                for number, name in enumerate(names, start=1)
            }
            yield EverySource(front, engine, surroundings, trap)
            runtime.engine.dispose()
    engine.dispose()


def _settings(front: Front, twitch: LocalTwitch, folder: Path) -> Any:
    def of(source: str) -> dict[str, Any]:
        addresses = {
            "drops_mirror_url": "mirror",
            "kick_url": "kick",
            "chzzk_url": "chzzk",
            "helix_url": "helix",
            "gql_url": "gql",
            "igdb_url": "igdb",
        }
        return {
            **{name: front.address(source, service) for name, service in addresses.items()},
            "data_dir": str(folder),
            "twitch_auth_url": twitch.auth_url,
            "twitch_client_id": twitch.client_id,
            "twitch_client_secret": twitch.client_secret,
            "eventsub_callback_url": "https://lootwire.example/eventsub",
            "chzzk_first_number": 1204,
            "twitch_dashboard_hashes": [HASHES[DASHBOARD]],
            "twitch_details_hashes": [HASHES[DETAILS]],
            "twitch_inventory_hashes": [HASHES[INVENTORY]],
        }

    return of


def _fill_twitch(twitch: LocalTwitch) -> None:
    for login in LOGINS:
        twitch.add_user(login)
        twitch.go_live(login, title=f"{login} plays")
        twitch.add_video(login)
    twitch.dashboard.list_campaigns(*(campaign(key) for key in ("a", "b", "c", "d")))


def _prepare(runtime: Runtime, engine: Engine, twitch: LocalTwitch, vault: Vault) -> None:
    now = utc_now()
    granted = twitch.dashboard.grant()
    with Client() as client:
        viewer = TwitchAuth(client, twitch.auth_url, CLIENT_ID).validate(granted.access_token)
        assert viewer is not None
        sign_in(engine, vault, Tokens(granted.access_token, granted.refresh_token), viewer, now)
        users = list(runtime.needed_helix(client).users(logins=LOGINS))
    with engine.begin() as connection:
        row = {"name": MIRROR, "service": "igdb", "next_due_at": now, "cursor": _swept(now - timedelta(days=1000))}
        connection.execute(insert(Source).values(**row))
        follow(connection, users, now - timedelta(hours=1))
        follow_drops(connection, now)
    with engine.begin() as connection:
        sources.register(connection, runtime, now)
    fetch_source(engine, sources.source(runtime, MIRROR), utc_now)
    with engine.begin() as connection:
        for igdb_id in range(1, FOLLOWED_GAMES + 1):
            follow_game(connection, igdb_id, now)


def _swept(now: datetime) -> dict[str, Any]:
    an_hour_ago = now - timedelta(hours=1)
    return MirrorState(completed_at=an_hour_ago, swept_to=an_hour_ago).cursor()
