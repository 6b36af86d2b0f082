"""The demo's live streams at each step, as Helix answers.

Streams go by the real clock, not by the history's: a stream that goes on air at a step began when that step did.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from pipeline.demo import pictures
from pipeline.demo.clock import plain_stamp
from pipeline.demo.world import GAMES, STREAMERS, Game, Streamer, stable_number

CLIENT_ID, CLIENT_SECRET = "demolootwire", "demosecret"
TOKEN = {"access_token": "demotoken", "expires_in": 5184000, "token_type": "bearer"}

Query = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a streamer shows from a step on; without a game the stream is over."""

    step: int
    title: str
    game: str | None
    viewers: int


# The channels that the demo follows; a campaign of the game that each plays first names it.
SHOWS: Mapping[str, tuple[Scene, ...]] = {
    "coaltitsam": (
        Scene(1, "Holding the gate with you 🔥", "cinderhold", 412),
        Scene(3, "Holding the gate: nobody sleeps 🔥", "cinderhold", 980),
        Scene(4, "A walk among lanterns", "nine-lanterns", 655),
        Scene(6, "", None, 0),
    ),
    "nimbusnell": (
        Scene(3, "Tin Cup: we are in the playoffs!", "kettlebots", 2210),
        Scene(7, "Tin Cup: the last bolt", "kettlebots", 5120),
    ),
    "ironteacup": (Scene(5, "Slow evening at sea", "gloomtide", 87),),
}

# The streamer whose recordings a show takes, and their titles: a highlight of some days ago, and an archive that Twitch
# has once the stream is over.
RECORDED = "coaltitsam"
HIGHLIGHT, ARCHIVE = RECORDINGS = ("The gate holds", "Holding the gate with you")
RECORDED_SECONDS = 90

_BADGES = (
    (0, "moderator", "Moderator", "Keeps the chat in order"),
    (0, "bloomkeeper", "Bloomkeeper", "Watched four hours of Bloom Season"),
    (5, "bureau-cat", "Bureau Cat", "Served half an hour in the Bureau"),
)


class Studio:
    """Answers as Helix does at each step; `began` gives the time when a step began, in aware UTC."""

    def __init__(self, base_url: str, began: Callable[[int], datetime]) -> None:
        self._base_url = base_url
        self._began = began

    def answer(self, path: str, query: Query, step: int) -> tuple[int, Any] | None:
        """Return the status and the content of an answer; None for a path that Helix does not have."""
        rows: Mapping[str, Callable[[Query, int], Iterator[dict[str, Any]]]] = {
            "users": self._users,
            "streams": self._streams,
            "channels": self._channels,
            "games": self._games,
            "chat/badges/global": self._badges,
            "videos": self._videos,
        }
        if path not in rows:
            return None
        return 200, {"data": list(rows[path](query, step)), "pagination": {}}

    def _users(self, query: Query, step: int) -> Iterator[dict[str, Any]]:  # noqa: ARG002 - users do not change
        for streamer in _streamers(query.get("id", ()), query.get("login", ())):
            yield {
                "id": streamer.id,
                "login": streamer.login,
                "display_name": streamer.display_name,
                "description": "",
                "profile_image_url": pictures.icon_url(self._base_url, "kick-files/user", streamer.login),
            }

    def _streams(self, query: Query, step: int) -> Iterator[dict[str, Any]]:
        for streamer in _streamers(query.get("user_id", ()), query.get("user_login", ())):
            scene = _scene(streamer.login, step)
            if scene is None or scene.game is None:
                continue
            game = GAMES[scene.game]
            first = SHOWS[streamer.login][0].step
            yield {
                "id": str(stable_number(f"stream/{streamer.login}", 10**10, 10**11)),
                "user_id": streamer.id,
                "user_login": streamer.login,
                "user_name": streamer.display_name,
                "game_id": game.id,
                "game_name": game.name,
                "type": "live",
                "title": scene.title,
                "viewer_count": scene.viewers,
                "started_at": plain_stamp(self._began(first)),
                "language": "en",
                "thumbnail_url": f"{self._base_url}/ttv-boxart/{game.id}-{{width}}x{{height}}.jpg",
                "tags": ["English", "DropsEnabled"],
            }

    def _videos(self, query: Query, step: int) -> Iterator[dict[str, Any]]:
        for streamer in _streamers(query.get("user_id", ()), ()):
            if streamer.login != RECORDED:
                continue
            scene, first = _scene(RECORDED, step), SHOWS[RECORDED][0].step
            began = self._began(0)
            yield self._video(streamer, HIGHLIGHT, "highlight", began - timedelta(days=2), None)
            if scene is not None and scene.game is None:
                stream_id = str(stable_number(f"stream/{RECORDED}", 10**10, 10**11))
                yield self._video(streamer, ARCHIVE, "archive", self._began(first), stream_id)

    def _video(self, streamer: Streamer, title: str, kind: str, at: datetime, stream_id: str | None) -> dict[str, Any]:
        return {
            "id": str(stable_number(f"video/{title}", 10**9, 10**10)),
            "stream_id": stream_id,
            "user_id": streamer.id,
            "user_login": streamer.login,
            "user_name": streamer.display_name,
            "title": title,
            "description": "",
            "published_at": plain_stamp(at),
            "url": f"{self._base_url}{recording_path(title)}",
            "thumbnail_url": "",
            "type": kind,
            "duration": f"{RECORDED_SECONDS}s",
            "muted_segments": None,
        }

    def _channels(self, query: Query, step: int) -> Iterator[dict[str, Any]]:
        for streamer in _streamers(query.get("broadcaster_id", ()), ()):
            scene = _scene(streamer.login, step)
            game = GAMES[scene.game] if scene and scene.game else None
            yield {
                "broadcaster_id": streamer.id,
                "broadcaster_login": streamer.login,
                "broadcaster_name": streamer.display_name,
                "broadcaster_language": "en",
                "game_id": game.id if game else "",
                "game_name": game.name if game else "",
                "title": scene.title if scene else "",
                "tags": [],
            }

    def _games(self, query: Query, step: int) -> Iterator[dict[str, Any]]:  # noqa: ARG002 - games do not change
        for game in GAMES.values():
            if game.id in query.get("id", ()) or game.name in query.get("name", ()):
                yield {"id": game.id, "name": game.name, "box_art_url": self._box_art(game), "igdb_id": ""}

    def _box_art(self, game: Game) -> str:
        return f"{self._base_url}/ttv-boxart/{game.id}_IGDB-{{width}}x{{height}}.jpg"

    def _badges(self, query: Query, step: int) -> Iterator[dict[str, Any]]:  # noqa: ARG002 - takes no key
        for first, set_id, title, description in _BADGES:
            if first <= step:
                url = pictures.icon_url(self._base_url, "twitch-quests-assets/REWARD", set_id)
                sizes = {f"image_url_{size}x": url for size in (1, 2, 4)}
                yield {"set_id": set_id, "versions": [{"id": "1", "title": title, "description": description, **sizes}]}


def recording_path(title: str) -> str:
    """Return the path of a recording at the demo's server, by its title."""
    return f"/recordings/{quote(title)}.m4a"


def _streamers(ids: Sequence[str], logins: Sequence[str]) -> Iterator[Streamer]:
    return (streamer for streamer in STREAMERS if streamer.id in ids or streamer.login in logins)


def _scene(login: str, step: int) -> Scene | None:
    """Return the last scene that has begun by a step."""
    begun = [scene for scene in SHOWS.get(login, ()) if scene.step <= step]
    return begun[-1] if begun else None
