"""Answers in place of every service that the demo asks, on this machine, so that it needs no network."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from email.utils import formatdate
from functools import partial
from hashlib import sha256
from threading import Condition
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from pipeline.demo import history, pictures, steam
from pipeline.demo.clock import exact_stamp
from pipeline.demo.igdb import catalogue
from pipeline.demo.igdb.language import BadQuery, parse, parse_multi
from pipeline.demo.igdb.language import Query as IgdbQuery
from pipeline.demo.live import TOKEN, Query, Studio
from pipeline.demo.local import QuietHandler, serving
from pipeline.runtime.settings import Settings, variable_name

_HELIX = "/twitch/helix/"
_IGDB = "/igdb/v4/"
_STEAM = "/steam/"
_RETROACHIEVEMENTS = "/retroachievements/"
_CHZZK = re.compile(r"/chzzk/service/v(?P<version>[12])/drops/campaigns/(?P<number>\d{1,18})")


class Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes
    headers: dict[str, str]
    counted: bool
    """Whether a fetch of it counts as having seen the step (of pictures and unknown paths it does not)."""


class DemoServices:
    """One local server with the whole demo world behind it; use it as a context manager.

    The services go by the history's clock: at each step the mirror gives the time of its snapshot, and the `Date`
    header of every answer is that same time, so hours can pass in a minute.
    """

    def __init__(self, now: datetime, *, refresh_interval_seconds: int = 1) -> None:
        """Prepares the history that ends at the aware time `now`; nothing listens yet."""
        self.now = now
        self.refresh_interval_seconds = refresh_interval_seconds
        self.base_url = ""
        # Files of sound by their paths, made when the demo begins.
        self.recordings: dict[str, bytes] = {}
        self._step = 0
        self._igdb = catalogue.tables(now)
        # Unlike the rest, streams go by the real clock.
        self._began = {0: datetime.now(UTC)}
        self._served: defaultdict[str, set[int]] = defaultdict(set)
        self._changed = Condition()
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self.base_url = self._running.enter_context(serving(partial(_Handler, self)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def mirror_url(self) -> str:
        """The address in place of the mirror's host: `/drops`, `/rewards` and their `/v2` are below it."""
        return f"{self.base_url}/mirror"

    @property
    def kick_url(self) -> str:
        """The address in place of Kick's host: `/api/v1/drops/campaigns` is below it."""
        return f"{self.base_url}/kick"

    @property
    def chzzk_url(self) -> str:
        """The address in place of CHZZK's host: `/service/v1` and `/service/v2` are below it."""
        return f"{self.base_url}/chzzk"

    @property
    def auth_url(self) -> str:
        """The address in place of Twitch's sign-in: `/token` is below it."""
        return f"{self.base_url}/twitch/oauth2"

    @property
    def helix_url(self) -> str:
        """The address in place of Helix: `/streams`, `/users` and the like are below it."""
        return f"{self.base_url}{_HELIX.rstrip('/')}"

    @property
    def igdb_url(self) -> str:
        """The address in place of IGDB, which has the invented games: `/games` and the like are below it."""
        return f"{self.base_url}{_IGDB.rstrip('/')}"

    @property
    def steam_url(self) -> str:
        """The address in place of Steam's Web API: `/IPlayerService` and the like are below it."""
        return f"{self.base_url}{_STEAM.rstrip('/')}"

    @property
    def retroachievements_url(self) -> str:
        """The address in place of RetroAchievements: `/API` is below it."""
        return f"{self.base_url}{_RETROACHIEVEMENTS.rstrip('/')}"

    @property
    def addresses(self) -> Mapping[str, str]:
        """The variables that put every service on this machine, also those that have no stand-in and answer 404."""
        everywhere = [
            name for name, field in Settings.model_fields.items() if str(field.default).startswith("https://")
        ]
        return {variable_name(name): self.base_url for name in everywhere} | {
            "LOOTWIRE_DROPS_MIRROR_URL": self.mirror_url,
            "LOOTWIRE_KICK_URL": self.kick_url,
            "LOOTWIRE_CHZZK_URL": self.chzzk_url,
            "LOOTWIRE_TWITCH_AUTH_URL": self.auth_url,
            "LOOTWIRE_HELIX_URL": self.helix_url,
            "LOOTWIRE_IGDB_URL": self.igdb_url,
            "LOOTWIRE_STEAM_URL": self.steam_url,
            "LOOTWIRE_RETROACHIEVEMENTS_URL": self.retroachievements_url,
            "LOOTWIRE_EVENTSUB_URL": self.base_url.replace("http://", "ws://", 1),
        }

    @property
    def step(self) -> int:
        """The step of the history that is served now, 0 to `history.STEPS - 1`."""
        with self._changed:
            return self._step

    @property
    def served(self) -> dict[str, set[int]]:
        """A copy of the steps at which each path was fetched whole or as a 304 (a HEAD is no fetch)."""
        with self._changed:
            return {path: set(steps) for path, steps in self._served.items()}

    def advance(self) -> int:
        """Goes on to the next step, or stays at the last one; returns its number."""
        with self._changed:
            self._step = min(self._step + 1, history.STEPS - 1)
            self._began.setdefault(self._step, datetime.now(UTC))
            return self._step

    def wait_served(self, path_prefix: str, step: int, timeout: float) -> None:
        """Waits until something under the path was fetched at this step.

        Raises:
            TimeoutError: It was not within `timeout` seconds; the text says what was fetched instead.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._was_served(path_prefix, step), timeout):
                seen = {path: sorted(steps) for path, steps in self._served.items()}
                raise TimeoutError(
                    f"Nothing under {path_prefix} was fetched at step {step} in {timeout} s; fetched: {seen}"
                )

    def _was_served(self, path_prefix: str, step: int) -> bool:
        return any(path.startswith(path_prefix) and step in steps for path, steps in self._served.items())

    def note_served(self, path: str, step: int) -> None:
        """Remembers that a path was fetched at a step, and wakes `wait_served`."""
        with self._changed:
            self._served[path].add(step)
            self._changed.notify_all()

    def answer(self, path: str, query: Query, step: int) -> Answer:
        """Returns the answer to a GET of this path at this step."""
        if path.startswith(_HELIX):
            return self._helix(path.removeprefix(_HELIX), query, step)
        if lists := _MIRROR_LISTS.get(path):
            return self._mirror(lists, step, versioned="/v2/" in path)
        if content := self._plain(path, query, step):
            return _json(200, content)
        if match := _CHZZK.fullmatch(path):
            return self._chzzk(int(match["number"]), step, int(match["version"]))
        return self._file(path) or _json(404, {"error": "Not Found"})._replace(counted=False)

    def _file(self, path: str) -> Answer | None:
        """Return a recording or a picture; that somebody fetched it says nothing of the step."""
        if recording := self.recordings.get(path):
            return Answer(200, "audio/mp4", recording, {}, counted=False)
        if drawing := pictures.picture(path):
            return Answer(200, "image/svg+xml; charset=utf-8", drawing.encode(), {}, counted=False)
        return None

    def _plain(self, path: str, query: Query, step: int) -> dict[str, Any] | None:
        """Return what those answer that need no headers of their own."""
        if path == "/kick/api/v1/drops/campaigns":
            return history.kick_campaigns(self.now, step, self.base_url)
        if path.startswith(_STEAM):
            return steam.steam(self.now, step, path.removeprefix(_STEAM), query)
        if path.startswith(_RETROACHIEVEMENTS):
            return steam.retroachievements(self.now, path.removeprefix(_RETROACHIEVEMENTS))
        return None

    def ask_igdb(self, path: str, text: str) -> tuple[int, Any, int]:
        """Return IGDB's answer to a query: its status, its body, and how many rows are meant in all."""
        try:
            if path == "multiquery":
                several = [(name, self._igdb_rows(of, query)) for of, name, query in parse_multi(text)]
                return 200, [{"name": name, "result": rows} for name, (_, rows, _) in several], 0
            return self._igdb_rows(path, parse(text))
        except BadQuery as bad:
            return 400, bad.body(), 0

    def _igdb_rows(self, path: str, query: IgdbQuery) -> tuple[int, Any, int]:
        name, _, end = path.partition("/")
        if name not in self._igdb:
            return 200, {"count": 0} if end == "count" else [], 0
        rows, meant = self._igdb[name].select(query)
        return (200, {"count": meant}, meant) if end == "count" else (200, rows, meant)

    def _mirror(self, lists: "_MirrorList", step: int, *, versioned: bool) -> Answer:
        data = lists(self.now, step, self.base_url)
        updated_at = exact_stamp(history.snapshot_time(self.now, step))
        if versioned:
            return _json(
                200,
                {
                    "lastUpdatedAt": updated_at,
                    "refreshIntervalSeconds": self.refresh_interval_seconds,
                    "data": data,
                },
            )
        return _json(200, data)._replace(
            headers={
                "X-Last-Updated-At": updated_at,
                "X-Refresh-Interval-Seconds": str(self.refresh_interval_seconds),
            }
        )

    def _helix(self, path: str, query: Query, step: int) -> Answer:
        answer = Studio(self.base_url, lambda first: self._began[first]).answer(path, query, step)
        return _json(*answer) if answer else _json(404, {"error": "Not Found", "status": 404, "message": ""})

    def _chzzk(self, number: int, step: int, version: int) -> Answer:
        content = history.chzzk_campaign(self.now, step, number, self.base_url, version=version)
        if content is None:
            return _json(404, {"code": 404, "message": "존재하지 않는 캠페인입니다.", "content": None})
        return _json(200, {"code": 200, "message": None, "content": content})


_MirrorList = Callable[[datetime, int, str], list[dict[str, Any]]]

_MIRROR_LISTS: dict[str, _MirrorList] = {
    "/mirror/drops": history.mirror_drops,
    "/mirror/v2/drops": history.mirror_drops,
    "/mirror/rewards": history.mirror_rewards,
    "/mirror/v2/rewards": history.mirror_rewards,
}


class _Handler(QuietHandler):
    def __init__(self, services: DemoServices, *connection: Any) -> None:
        # Before the base class, whose constructor already handles the request.
        self.services = services
        self.step = services.step
        super().__init__(*connection)

    def do_GET(self) -> None:  # noqa: N802  the name that http.server calls
        url, self.step = urlsplit(self.path), self.services.step
        path = url.path
        answer = self.services.answer(path, parse_qs(url.query), self.step)
        etag = f'"{sha256(answer.body).hexdigest()[:32]}"'
        headers = {"Content-Type": answer.content_type, **answer.headers}
        if answer.status == 200:
            headers["ETag"] = etag
        unchanged = answer.status == 200 and _matches(self.headers.get("If-None-Match", ""), etag)
        self.answer(304 if unchanged else answer.status, headers, answer.body)
        if answer.counted and self.command == "GET":
            self.services.note_served(path, self.step)

    def do_POST(self) -> None:  # noqa: N802  likewise
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, meant = urlsplit(self.path).path, 0
        answer = _json(404, {"status": 404, "message": "Not Found"})
        if path == "/twitch/oauth2/token":
            answer = _json(200, TOKEN)
        elif path.startswith(_IGDB):
            status, rows, meant = self.services.ask_igdb(path.removeprefix(_IGDB), body.decode())
            answer = _json(status, rows)
        self.answer(answer.status, {"Content-Type": answer.content_type, "X-Count": str(meant)}, answer.body)

    do_HEAD = do_GET  # noqa: N815  likewise

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the `Date` header: the time of the step, since the services go by the history's clock."""
        seen_at = history.snapshot_time(self.services.now, self.step)
        return formatdate(timestamp or seen_at.timestamp(), usegmt=True)


def _json(status: int, content: Any) -> Answer:
    body = json.dumps(content, ensure_ascii=False).encode()
    return Answer(status, "application/json; charset=utf-8", body, {}, counted=True)


def _matches(if_none_match: str, etag: str) -> bool:
    """Whether the client's tags hold ours, by the weak comparison that RFC 9110 wants for a GET."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in tags or "*" in tags
