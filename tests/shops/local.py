"""A server on this machine that answers as Steam and as RetroAchievements do; use it as a context manager."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from pipeline.demo.local import QuietHandler, serving
from tests.shops import retroachievements, steam
from tests.shops.retroachievements import Player
from tests.shops.steam import SteamUser


@dataclass
class Fault:
    """What the next requests get instead of an answer."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """A request as it came: the path below the service's address."""

    service: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


class LocalShops:
    """Both services, with invented accounts; `faults` come first, one a request."""

    def __init__(self) -> None:
        self.users: dict[str, SteamUser] = {}
        self.players: dict[str, Player] = {}
        self.keys = {steam.KEY, retroachievements.KEY}
        self.faults: list[Fault] = []
        self.requests: list[Seen] = []
        # What the services' clocks say, where they do not have the machine's time.
        self.now: datetime | None = None
        self._url = ""
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self._url = self._running.enter_context(serving(partial(_Handler, self)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def steam_url(self) -> str:
        """The address in place of Steam's Web API."""
        return f"{self._url}/steam"

    @property
    def retroachievements_url(self) -> str:
        """The address in place of RetroAchievements."""
        return f"{self._url}/retroachievements"

    def add_user(
        self, steam_id: str = "76561190000000001", name: str = "Lamplighter", vanity: str = "lamp"
    ) -> SteamUser:
        """Make an account at Steam."""
        self.users[steam_id] = SteamUser(steam_id, name, vanity)
        return self.users[steam_id]

    def add_player(self, name: str = "Wicktrimmer", ulid: str = "01HZZZZZZZZZZZZZZZZZZZZZZ1") -> Player:
        """Make an account at RetroAchievements."""
        self.players[name] = Player(name, ulid)
        return self.players[name]

    def fail(self, status: int, body: str = "", *, times: int = 1, **headers: str) -> None:
        """Answer the next requests with a status."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults += [Fault(status, body, named)] * times

    def answer(self, seen: Seen) -> Fault:
        """Return the answer to a request."""
        self.requests.append(seen)
        if self.faults:
            return self.faults.pop(0)
        if seen.service == "steam":
            if seen.headers.get("x-webapi-key", seen.query.get("key")) not in self.keys:
                return Fault(401, steam.REFUSED)
            return Fault(*steam.answer(self.users, seen.path, seen.query))
        if seen.query.get("y") not in self.keys:
            return Fault(401, retroachievements.UNAUTHENTICATED)
        return Fault(*retroachievements.answer(self.players, seen.path, seen.query))


class _Handler(QuietHandler):
    def __init__(self, shops: LocalShops, *connection: Any) -> None:
        self.shops = shops
        super().__init__(*connection)

    def do_GET(self) -> None:  # noqa: N802  the name that http.server calls
        url = urlsplit(self.path)
        service, _, path = url.path.lstrip("/").partition("/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.shops.answer(Seen(service, f"/{path}", dict(parse_qsl(url.query)), headers))
        self.answer(answer.status, {"Content-Type": "application/json", **answer.headers}, answer.body.encode())

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the `Date` header."""
        if self.shops.now is None:
            return super().date_time_string(timestamp)
        return format_datetime(self.shops.now, usegmt=True)
