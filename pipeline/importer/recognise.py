"""Tell by its content which source a payload comes from."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath

import msgspec

from pipeline.errors import SourceChanged
from pipeline.sources.base import UNREADABLE, DropSource

# A list of the mirror begins with a few short fields, among them one that only it has.
LOOK_AHEAD = 600
_KEY = re.compile(rb'"(gameId|unlockRequirements|startsAt|starts_at)":')
_TELLING = {b"gameId": "twitch.drops", b"unlockRequirements": "twitch.rewards", b"startsAt": "twitch.rewards"}


class _Shape(msgspec.Struct):
    """The keys that tell payloads apart; whatever they hold."""

    data: msgspec.Raw = msgspec.Raw(b"")
    lastUpdatedAt: msgspec.Raw = msgspec.Raw(b"")  # noqa: N815 - the mirror's spelling
    code: msgspec.Raw = msgspec.Raw(b"")
    content: msgspec.Raw = msgspec.Raw(b"")


class _ItemShape(msgspec.Struct):
    gameId: msgspec.Raw = msgspec.Raw(b"")  # noqa: N815
    rewards: msgspec.Raw = msgspec.Raw(b"")
    unlockRequirements: msgspec.Raw = msgspec.Raw(b"")  # noqa: N815
    startsAt: msgspec.Raw = msgspec.Raw(b"")  # noqa: N815
    starts_at: msgspec.Raw = msgspec.Raw(b"")
    required_units: msgspec.Raw = msgspec.Raw(b"")


class _Updated(msgspec.Struct):
    lastUpdatedAt: datetime | None = None  # noqa: N815


def recognise(payload: bytes, path: str, sources: Sequence[DropSource]) -> DropSource:
    """Return the source that a payload comes from; raises `SourceChanged` with what is wrong with it.

    An empty list looks the same from every list of the mirror: there the path decides (`rewards/…`), and drops
    are meant where it does not say.
    """
    by_name = {source.name: source for source in sources}
    return by_name[_name(payload, path)]


def told_time(payload: bytes) -> datetime | None:
    """Return when the mirror's version 2 says that its data was true; None for every other payload."""
    if payload.lstrip()[:1] != b"{":
        return None
    try:
        told = msgspec.json.decode(payload, type=_Updated).lastUpdatedAt
    except UNREADABLE:
        return None
    return told if told is not None and told.tzinfo is not None else None


def _name(payload: bytes, path: str) -> str:
    if not payload.strip():
        raise SourceChanged("the file is empty")
    try:
        if payload.lstrip()[:1] != b"{":
            return _name_by_first_keys(payload) or _list_name(payload, path)
        shape = msgspec.json.decode(payload, type=_Shape)
    except UNREADABLE as error:
        raise SourceChanged(f"not JSON that we know: {error}") from error
    if bytes(shape.content) and bytes(shape.code):
        return "chzzk.drops"
    if bytes(shape.data)[:1] != b"[":
        raise SourceChanged("a JSON object of no source that we know")
    try:
        return _list_name(shape.data, path, kick=not bytes(shape.lastUpdatedAt))
    except UNREADABLE as error:
        raise SourceChanged(f"not JSON that we know: {error}") from error


def _name_by_first_keys(payload: bytes) -> str | None:
    """Return what the first keys of a bare list tell; None where they do not, and a look at the whole must."""
    if payload[:1] != b"[":
        return None
    keys = {key for key in _KEY.findall(payload, 0, LOOK_AHEAD) if key in _TELLING}
    return _TELLING[keys.pop()] if len(keys) == 1 else None


def _list_name(listed: bytes | msgspec.Raw, path: str, *, kick: bool = False) -> str:
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
        return "twitch.drops"
    raise SourceChanged("a list of no source that we know")
