"""Tell by its content what a payload is and which sources read it."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath

import msgspec

from pipeline.drops.sources import FROM_FILES
from pipeline.errors import SourceChanged
from pipeline.shapes import UNREADABLE
from pipeline.sources.base import ListSource
from pipeline.sources.twitch_campaigns import describe

# A list of the mirror begins with a few short fields, among them some that only it has.
LOOK_AHEAD = 600
_KEY = re.compile(rb'"(gameId|rewards|unlockRequirements|startsAt|starts_at|data|errors)":')
_TELLING = {b"gameId": "twitch.drops", b"unlockRequirements": "twitch.rewards", b"startsAt": "twitch.rewards"}
_ANSWER = frozenset({b"data", b"errors"})
_WORDS = {
    "twitch.drops": "drops of the Twitch mirror",
    "twitch.rewards": "rewards of the Twitch mirror",
    "kick.drops": "Kick campaigns",
    "chzzk.drops": "CHZZK campaign",
    "twitch.badges": "Twitch chat badges",
}


class Recognised(msgspec.Struct, frozen=True):
    """What a payload was taken for, in words, and who reads it: a dashboard tells of campaigns and of rewards."""

    taken_for: str
    sources: Sequence[ListSource]


class _Shape(msgspec.Struct):
    """The keys that tell payloads apart; whatever they hold."""

    data: msgspec.Raw = msgspec.Raw(b"")
    lastUpdatedAt: msgspec.Raw = msgspec.Raw(b"")  # noqa: N815 - the mirror's spelling
    # A line of a collection of the mirror's versions.
    firstSeen: msgspec.Raw = msgspec.Raw(b"")  # noqa: N815 - the collection's spelling
    code: msgspec.Raw = msgspec.Raw(b"")
    content: msgspec.Raw = msgspec.Raw(b"")
    # An answer of Twitch's, what a fetch gathered of them, or a campaign that somebody took out of one.
    errors: msgspec.Raw = msgspec.Raw(b"")
    error: msgspec.Raw = msgspec.Raw(b"")
    dashboard: msgspec.Raw = msgspec.Raw(b"")
    id: msgspec.Raw = msgspec.Raw(b"")
    startAt: msgspec.Raw = msgspec.Raw(b"")  # noqa: N815

    @property
    def is_twitch(self) -> bool:
        """Whether Twitch's GraphQL answers like that."""
        answer = bytes(self.data)[:1] == b"{" or any(map(bytes, (self.errors, self.error, self.dashboard)))
        return answer or bool(bytes(self.id) and bytes(self.startAt))


class _ItemShape(msgspec.Struct):
    gameId: msgspec.Raw = msgspec.Raw(b"")  # noqa: N815
    rewards: msgspec.Raw = msgspec.Raw(b"")
    unlockRequirements: msgspec.Raw = msgspec.Raw(b"")  # noqa: N815
    startsAt: msgspec.Raw = msgspec.Raw(b"")  # noqa: N815
    starts_at: msgspec.Raw = msgspec.Raw(b"")
    required_units: msgspec.Raw = msgspec.Raw(b"")


class _SetShape(msgspec.Struct):
    set_id: msgspec.Raw = msgspec.Raw(b"")
    versions: msgspec.Raw = msgspec.Raw(b"")


class _Updated(msgspec.Struct):
    lastUpdatedAt: datetime | None = None  # noqa: N815


def recognise_all(payload: bytes, path: str, sources: Sequence[ListSource]) -> Recognised:
    """Return what a payload is and who reads it; raises `SourceChanged` with what is wrong with it.

    An empty list looks the same from every list of the mirror: there the path decides (`rewards/…`), and drops
    are meant where it does not say.
    """
    by_name = {source.name: source for source in (*FROM_FILES, *sources)}
    taken_for, names = _look_at(payload, path)
    return Recognised(taken_for, [by_name[name] for name in names])


def told_time(payload: bytes) -> datetime | None:
    """Return when the mirror's version 2 says that its data was true; None for every other payload."""
    if payload.lstrip()[:1] != b"{":
        return None
    try:
        told = msgspec.json.decode(payload, type=_Updated).lastUpdatedAt
    except UNREADABLE:
        return None
    return told if told is not None and told.tzinfo is not None else None


def _look_at(payload: bytes, path: str) -> tuple[str, Sequence[str]]:
    if not payload.strip():
        raise SourceChanged("the file is empty")
    start = payload.lstrip()[:1]
    if start == b"<":
        raise SourceChanged("HTML or XML, not JSON: perhaps an error page that was saved")
    try:
        if start != b"{":
            name = _name_by_first_keys(payload) or _list_name(payload, path)
            return describe(payload) if name is None else (_WORDS[name], [name])
        shape = msgspec.json.decode(payload, type=_Shape)
        if shape.is_twitch:
            return describe(payload)
        name = _object_name(shape, path)
    except UNREADABLE as error:
        raise SourceChanged(f"not JSON that we know: {error}") from error
    version = ", version 2" if bytes(shape.lastUpdatedAt) else ""
    return _WORDS[name] + version, [name]


def _object_name(shape: _Shape, path: str) -> str:
    if bytes(shape.content) and bytes(shape.code):
        return "chzzk.drops"
    if bytes(shape.data)[:1] != b"[":
        raise SourceChanged("a JSON object of no source that we know")
    bare = not (bytes(shape.lastUpdatedAt) or bytes(shape.firstSeen))
    if bare and _lists_badges(shape.data):
        return "twitch.badges"
    name = _list_name(shape.data, path, kick=bare)
    if name is None:
        raise SourceChanged("a list of no source that we know")
    return name


def _lists_badges(listed: msgspec.Raw) -> bool:
    raws = msgspec.json.decode(listed, type=list[msgspec.Raw])
    if not raws:
        return False
    first = msgspec.json.decode(raws[0], type=_SetShape)
    return bool(bytes(first.set_id) and bytes(first.versions))


def _name_by_first_keys(payload: bytes) -> str | None:
    """Return what the first keys of a bare list tell; None where they do not, and a look at the whole must."""
    if payload[:1] != b"[":
        return None
    found = set(_KEY.findall(payload, 0, LOOK_AHEAD))
    keys = found & _TELLING.keys()
    if len(keys) != 1 or found & _ANSWER or (b"gameId" in keys and b"rewards" not in found):
        return None
    return _TELLING[keys.pop()]


def _list_name(listed: bytes | msgspec.Raw, path: str, *, kick: bool = False) -> str | None:
    """Return the source of a list; None for one of answers, or of campaigns, of Twitch's own."""
    raws = msgspec.json.decode(listed, type=list[msgspec.Raw])
    if not raws:
        if kick:
            return "kick.drops"
        return "twitch.rewards" if "reward" in PurePath(path).as_posix().lower() else "twitch.drops"
    first = msgspec.json.decode(raws[0], type=_ItemShape)
    if bytes(first.unlockRequirements) or bytes(first.startsAt):
        return "twitch.rewards"
    if bytes(first.starts_at):
        return "kick.drops"
    if bytes(first.gameId) or bytes(first.rewards):
        if not any(bytes(msgspec.json.decode(raw, type=_ItemShape).rewards) for raw in raws):
            raise SourceChanged("a list of games without campaigns")
        return "twitch.drops"
    if msgspec.json.decode(raws[0], type=_Shape).is_twitch:
        return None
    raise SourceChanged("a list of no source that we know")
