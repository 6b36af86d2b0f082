"""Steam: an answer of GetOwnedGames, and the client's own localconfig.vdf. Pure.

https://developer.valvesoftware.com/wiki/Steam_Web_API#GetOwnedGames_(v0001) says what the answer holds: minutes, and
`rtime_last_played` in Unix time, 0 being never. A private profile answers `{"response":{}}`. It says nothing of
platforms. The file lies in Steam's folder as `userdata/<account>/config/localconfig.vdf`; it also knows free and
borrowed games, which the answer leaves out, and the names of none.
"""

import re
from collections.abc import Iterator

import msgspec

from models.errors import UsageError
from pipeline.errors import InvalidItem
from pipeline.fetch.shapes import read_value
from pipeline.library.formats.building import read_elements, reading
from pipeline.library.formats.format import refuse
from pipeline.library.formats.look import Look, keys_of, listed
from pipeline.library.formats.no_games import no_game_by_name, no_game_of_steam
from pipeline.library.formats.values import count_of, title_of, unix_moment, whole_of
from pipeline.library.records import Broken, Reading, ReadOptions, Record

PRIVATE = (
    "is an answer of Steam for a private profile: it names no games, and says nothing of what its account has. Set "
    "“Game details” to public under Edit Profile, Privacy Settings at Steam, and ask again"
)
_MOST_MINUTES = 80 * 366 * 24 * 60
_MOST_APPS = 500_000


class _Game(msgspec.Struct):
    appid: int
    name: str | None = None
    playtime_forever: int | None = None
    rtime_last_played: int | None = None


class OwnedGames:
    """An answer of GetOwnedGames, with names (`include_appinfo=1`) or without."""

    name = "steam"
    taken_for = "Steam's list of owned games"

    def recognises(self, look: Look) -> bool:
        return "response" in look.members

    def read(self, look: Look, options: ReadOptions) -> Reading:
        response = keys_of(look.members.get("response"))
        if "response" not in look.members:
            refuse(look, self.taken_for, "lacks the key `response`")
        count = read_value(_COUNT, response["game_count"]) if "game_count" in response else None
        if "games" not in response and not (response and count == 0):
            if not response:
                raise UsageError(f"{look.name} {PRIVATE}")
            refuse(look, self.taken_for, "lacks the key `games` in its `response`")
        games = listed(response.get("games"))
        records, broken = read_elements(games, _Game, owned_game)
        is_whole = not broken and count in {None, len(games)}
        return reading(
            self.name, self.taken_for, records, broken, name=look.name, options=options, is_whole=is_whole
        )  # fmt: skip


_COUNT = msgspec.json.Decoder(int)


def owned_game(line: int, game: _Game) -> Record:
    """Return a game of an answer; raises `InvalidItem` for numbers that cannot be."""
    appid = whole_of(str(game.appid))
    if appid is None:
        raise InvalidItem(f"`appid` is {game.appid}, which is none of Steam's")
    minutes = count_of(game.playtime_forever, "playtime_forever", _MOST_MINUTES)
    title = None if game.name is None else title_of(game.name)
    return Record(
        line=line,
        written=title or _nameless(appid),
        no_game=no_game_of_steam(appid) or (no_game_by_name(title) if title else None),
        store="steam",
        external_id=str(appid),
        ownership="owned",
        playtime_seconds=None if minutes is None else minutes * 60,
        last_played_at=unix_moment(game.rtime_last_played),
    )


def _nameless(appid: int) -> str:
    return f"Steam app {appid}"


class LocalConfig:
    """localconfig.vdf, of which only the apps are read: it also holds friends and devices."""

    name = "steam-localconfig"
    taken_for = "Steam's localconfig.vdf"

    def recognises(self, look: Look) -> bool:
        return _ROOT.match(look.text) is not None

    def read(self, look: Look, options: ReadOptions) -> Reading:
        if _ROOT.match(look.text) is None:
            refuse(look, self.taken_for, "does not begin with `UserLocalConfigStore`")
        records: list[Record] = []
        broken: list[Broken] = []
        has_apps = False
        for app in _apps(look):
            has_apps = True
            try:
                records.append(_app_record(app))
            except InvalidItem as error:
                broken.append(Broken(line=app.line, written=f"app {app.key}"[:200], reason=str(error)))
        if not has_apps:
            refuse(look, self.taken_for, "lacks `Software/Valve/Steam/apps`")
        return reading(self.name, self.taken_for, records, broken, name=look.name, options=options)


class _App(msgspec.Struct):
    line: int
    key: str
    values: dict[str, str]


_ROOT = re.compile(r'\s*"UserLocalConfigStore"\s*\{', re.IGNORECASE)
# A text, a bracket, a comment or a word without quotes; each takes linear time.
_TOKEN = re.compile(r'"((?:[^"\\]++|\\.)*+)"|([{}])|//[^\n]*+|([^\s{}"]++)', re.DOTALL)
_PATH = ("userlocalconfigstore", "software", "valve", "steam", "apps")


def _apps(look: Look) -> Iterator[_App]:
    """Yield the blocks under `apps` with their values; the case of keys varies between Steam's versions."""
    path: list[str] = []
    app: _App | None = None
    line, counted_to, apps = 1, 0, 0
    for at, key, value in _steps(look.text):
        is_within = app is not None and len(path) == len(_PATH) + 1
        if key is None:
            if not path or apps > _MOST_APPS:
                raise UsageError(f"{look.name} begins as Steam's localconfig.vdf does, and its brackets do not fit")
            path.pop()
            if app is not None and is_within:
                yield app
                app = None
        elif value is not None:
            if app is not None and is_within:
                app.values[key.lower()] = value
        else:
            if tuple(path) == _PATH:
                line += look.text.count("\n", counted_to, at)
                counted_to, apps = at, apps + 1
                app = _App(line - _opens_alone(look.text, at), key, {})
            path.append(key.lower())
    if path:
        raise UsageError(f"{look.name} begins as Steam's localconfig.vdf does and ends in the middle: copy it again")


def _steps(text: str) -> Iterator[tuple[int, str | None, str | None]]:
    """Yield a key with its value, a key alone whose block opens, nothing where a block ends; each with its place."""
    key: str | None = None
    for token in _TOKEN.finditer(text):
        word = token[1] if token[1] is not None else token[3]
        if token[2] == "{":
            yield token.start(), key or "", None
            key = None
        elif token[2] == "}":
            yield token.start(), None, None
            key = None
        elif word is not None and key is None:
            key = word
        elif word is not None:
            yield token.start(), key, word
            key = None


def _opens_alone(text: str, at: int) -> bool:
    """Whether a bracket stands on a line of its own, below its key."""
    return not text[text.rfind("\n", 0, at) + 1 : at].strip()


def _app_record(app: _App) -> Record:
    if app.key == "0":
        return Record(line=app.line, written="Steam app 0", no_game=no_game_of_steam(0))
    appid = whole_of(app.key)
    if appid is None:
        raise InvalidItem(f"`{app.key[:40]}` is no id of an app")
    played = unix_moment(_number(app.values.get("lastplayed")))
    minutes = count_of(_number(app.values.get("playtime")), "Playtime", _MOST_MINUTES)
    no_game = no_game_of_steam(appid)
    if no_game is None and played is None and not minutes:
        no_game = "never played: Steam keeps nothing but settings for it"
    return Record(
        line=app.line,
        written=_nameless(appid),
        no_game=no_game,
        store="steam",
        external_id=str(appid),
        ownership="owned",
        playtime_seconds=None if minutes is None else minutes * 60,
        last_played_at=played,
    )


def _number(written: str | None) -> int | None:
    if written is None or not written.strip():
        return None
    if not (written.isascii() and written.isdigit() and len(written) < 16):
        raise InvalidItem(f"`{written[:40]}` is no number")
    return int(written)
