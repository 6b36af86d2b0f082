"""Twitch drops and rewards from the community mirror, which needs no account.

`https://twitch-drops-api.sunkwi.com`: `/v2/drops` and `/v2/rewards` are `{lastUpdatedAt, refreshIntervalSeconds,
data}`; `/drops` and `/rewards` are the bare lists with the same facts in headers. Only ACTIVE campaigns are listed.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import ClassVar

import msgspec

from pipeline.catalogue.records import GameRecord
from pipeline.drops.campaigns import CampaignSubjects
from pipeline.drops.records import CampaignRecord, RewardCampaignRecord
from pipeline.drops.rewards import RewardSubjects
from pipeline.drops.sources.looks import Look, Recognition, has_field
from pipeline.drops.sources.twitch_shapes import (
    CAMPAIGN,
    REWARD_CAMPAIGN,
    WireGame,
    campaign_record,
    game_record,
    reward_campaign_record,
)
from pipeline.errors import SourceChanged, SourceError, SourceUnavailable
from pipeline.fetch.http import Client, Reply, conditional
from pipeline.fetch.mending import decode_mended
from pipeline.fetch.shapes import UNREADABLE, Count, Id, Time, clean, digest, identity, read_value, utc
from pipeline.ingest.source import Answer, Item, Snapshot, Validators, decode_item, id_under
from pipeline.services.twitch.wire import Wire

# The mirror says a minute; a longer wait would hide campaigns that last hours, and a word of years all of them.
LONGEST_REFRESH = timedelta(hours=1)


class WireGroup(Wire):
    rewards: list[msgspec.Raw]
    game_id: str | None = None
    game_display_name: str | None = None
    box_art: str | None = msgspec.field(default=None, name="gameBoxArtURL")


class WireGroupHead(Wire):
    """What is still wanted of a group that cannot be read."""

    game_id: Id | None = None


class WireEnvelope(Wire):
    data: msgspec.Raw


class WireUpdated(WireEnvelope):
    """What a fetch reads beside the list; an interval that cannot be read costs nothing of it."""

    last_updated_at: Time | None = None
    refresh_interval_seconds: msgspec.Raw = msgspec.Raw(b"null")


_ENVELOPE = msgspec.json.Decoder(WireEnvelope)
_UPDATED = msgspec.json.Decoder(WireUpdated)
_TIME: msgspec.json.Decoder[Time | None] = msgspec.json.Decoder(Time | None)
_SECONDS: msgspec.json.Decoder[Count | None] = msgspec.json.Decoder(Count | None)
_GROUPS = msgspec.json.Decoder(list[WireGroup])
_GROUP = msgspec.json.Decoder(WireGroup)
_GROUP_HEAD = msgspec.json.Decoder(WireGroupHead)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])


class _Mirror:
    """What the two lists of the mirror share: the request, the envelope, the way back to version 1."""

    service: ClassVar[str] = "twitch"
    asks = "twitch mirror"
    paths: ClassVar[tuple[str, str]]

    def __init__(self, base_url: str, *, poll_every: timedelta = timedelta(seconds=60)) -> None:
        self._base_url = base_url.rstrip("/")
        self._poll_every = poll_every

    def fetch(self, client: Client, validators: Validators) -> Answer:
        """Ask for the list: by the path that worked last, and by the other version where the service lacks that."""
        remembered = validators.cursor.get("path", self.paths[0])
        first, second = sorted(self.paths, key=lambda path: path != remembered)
        try:
            return self._fetch_path(client, first, validators)
        except SourceError as error:
            if not _other_version_may_help(error):
                raise
            try:
                return self._fetch_path(client, second, validators)
            except SourceError:
                raise error from None

    def _fetch_path(self, client: Client, path: str, validators: Validators) -> Answer:
        same_path = validators.cursor.get("path") == path
        headers = conditional(validators.etag, validators.last_modified) if same_path else {}
        reply = client.get(self._base_url + path, headers=headers)
        taken_at, refresh = _read_times(reply)
        return Answer(
            payload=None if reply.status == 304 else reply.body,
            taken_at=taken_at,
            refresh_after=max(self._poll_every, min(timedelta(seconds=refresh or 0), LONGEST_REFRESH)),
            validators=Validators(
                etag=reply.headers.get("ETag"),
                last_modified=reply.headers.get("Last-Modified"),
                cursor={"path": path},
            ),
        )


class TwitchDrops(_Mirror):
    """Active drop campaigns, listed by game."""

    name = "twitch.drops"
    subjects: ClassVar[type[CampaignSubjects]] = CampaignSubjects
    outranked_by: ClassVar[Collection[str]] = ("twitch.dashboard", "twitch.details")
    paths = ("/v2/drops", "/drops")

    def split(self, payload: bytes) -> Snapshot:
        """Cut the list into campaigns; a group that cannot be read is set aside alone."""
        listed = _list_of(payload)
        broken: list[tuple[bytes, str]] = []
        try:
            groups, sound = _GROUPS.decode(listed), listed is payload
        except UNREADABLE:
            groups, sound = list(_readable_groups(listed, broken)), False
        items = [_item(raw, group) for group in groups for raw in group.rewards]
        empty = frozenset(game_id for group in groups if not group.rewards and (game_id := identity(group.game_id)))
        return Snapshot(items=items, broken=broken, empty_groups=empty, sound=sound)

    def parse(self, item: Item) -> CampaignRecord:
        """Decode one campaign; what the campaign does not say of its game, its group does."""
        wire = decode_item(CAMPAIGN, item)
        return campaign_record(wire, _game(wire.game, item.context))

    def peek_id(self, item: Item) -> str | None:
        """Return the id of an item."""
        return id_under("id", item)


class TwitchRewards(_Mirror):
    """Reward campaigns ("quests")."""

    name = "twitch.rewards"
    subjects: ClassVar[type[RewardSubjects]] = RewardSubjects
    outranked_by: ClassVar[Collection[str]] = ()
    paths = ("/v2/rewards", "/rewards")

    def split(self, payload: bytes) -> Snapshot:
        """Cut the list into reward campaigns."""
        try:
            raws = decode_mended(_RAWS, _list_of(payload))
        except UNREADABLE as error:
            raise SourceChanged(f"not a list of reward campaigns: {error}", payload=payload) from error
        return Snapshot(items=[Item(digest(raw), raw) for raw in raws])

    def parse(self, item: Item) -> RewardCampaignRecord:
        """Decode one reward campaign."""
        return reward_campaign_record(decode_item(REWARD_CAMPAIGN, item))

    def peek_id(self, item: Item) -> str | None:
        """Return the id of an item."""
        return id_under("id", item)


def recognise_mirror(look: Look) -> Recognition | None:
    """Recognise a list of the mirror, of either version.

    An empty list looks the same from every list of the mirror: there the path decides (`rewards/…`), and drops are
    meant where it does not say.
    """
    name = _name_by_head(look.head) or _name_by_rows(look)
    if name is None:
        return None
    words = "drops of the Twitch mirror" if name == TwitchDrops.name else "rewards of the Twitch mirror"
    return words + (", version 2" if "lastUpdatedAt" in look.fields else ""), [name]


def _name_by_head(head: frozenset[bytes]) -> str | None:
    """Return the source whose first keys a bare list has; None where only its rows can decide."""
    marks = head & {b"gameId", b"unlockRequirements", b"startsAt"}
    if len(marks) != 1 or head & {b"data", b"errors"}:
        return None
    if b"gameId" not in marks:
        return TwitchRewards.name
    return TwitchDrops.name if b"rewards" in head else None


def _name_by_rows(look: Look) -> str | None:
    if not look.rows:
        if look.rows is None or (look.is_object and not look.is_wrapped):
            return None
        return TwitchRewards.name if "reward" in PurePath(look.path).as_posix().lower() else TwitchDrops.name
    if not look.first.keys().isdisjoint({"unlockRequirements", "startsAt"}):
        return TwitchRewards.name
    # Kick's campaigns have rewards too, and start at another spelling.
    if "starts_at" in look.first or look.first.keys().isdisjoint({"gameId", "rewards"}):
        return None
    if not any(has_field(row, "rewards") for row in look.rows):
        raise SourceChanged("a list of games without campaigns")
    return TwitchDrops.name


def _other_version_may_help(error: SourceError) -> bool:
    """Whether the service answered, but not with what this version promises; a wait that it asks for is obeyed."""
    if isinstance(error, SourceUnavailable):
        return error.status is not None and error.retry_after is None
    return isinstance(error, SourceChanged)


def _read_times(reply: Reply) -> tuple[datetime | None, int | None]:
    """Return when the data was true, as the mirror says, and how often (in seconds) it changes at most."""
    if reply.body.lstrip()[:1] == b"{":
        try:
            updated = decode_mended(_UPDATED, reply.body)
        except UNREADABLE as error:
            raise SourceChanged(f"unknown envelope: {error}", payload=reply.body) from error
        return utc(updated.last_updated_at), read_value(_SECONDS, updated.refresh_interval_seconds)
    if reply.status != 304 and reply.body.lstrip()[:1] != b"[":
        raise SourceChanged("the answer is not JSON", payload=reply.body)
    at, seconds = reply.headers.get("X-Last-Updated-At"), reply.headers.get("X-Refresh-Interval-Seconds")
    return utc(read_value(_TIME, msgspec.json.encode(at))), read_value(_SECONDS, (seconds or "null").encode())


def _list_of(payload: bytes) -> bytes | msgspec.Raw:
    if payload.lstrip()[:1] != b"{":
        return payload
    try:
        return decode_mended(_ENVELOPE, payload).data
    except UNREADABLE as error:
        raise SourceChanged(f"unknown envelope: {error}", payload=payload) from error


def _readable_groups(listed: bytes | msgspec.Raw, broken: list[tuple[bytes, str]]) -> list[WireGroup]:
    """Decode group by group, setting aside those that do not fit; raises where not even the list can be read.

    One whose game can still be read counts as a group that came empty: none of its campaigns is judged gone.
    """
    groups = []
    try:
        raws = decode_mended(_RAWS, listed)
    except UNREADABLE as error:
        raise SourceChanged(f"not a list of games: {error}", payload=bytes(listed)) from error
    for raw in raws:
        try:
            groups.append(decode_mended(_GROUP, raw))
        except UNREADABLE as error:
            broken.append((bytes(raw), str(error)))
            if game_id := _peek_game(raw):
                groups.append(WireGroup(rewards=[], game_id=game_id))
    return groups


def _peek_game(raw: msgspec.Raw) -> str | None:
    try:
        return identity(_GROUP_HEAD.decode(raw).game_id)
    except UNREADABLE:
        return None


def _item(raw: msgspec.Raw, group: WireGroup) -> Item:
    head = "\0".join((group.game_id or "", group.game_display_name or "", group.box_art or ""))
    return Item(digest(head.encode(), raw), raw, identity(group.game_id), group)


def _game(wire: WireGame | None, group: WireGroup) -> GameRecord | None:
    """Return the campaign's game, or its group's where it names none; a picture belongs to the group's own game."""
    group_id, group_name, box_art = identity(group.game_id), clean(group.game_display_name), clean(group.box_art)
    game = game_record(wire)
    if wire is None or game is None:
        if group_id is None or group_name is None:
            return None
        return GameRecord(external_id=group_id, name=group_name, box_art_url=box_art)
    name = clean(wire.display_name) or clean(wire.name) or group_name or game.external_id
    art = box_art if group_id == game.external_id else None
    return GameRecord(external_id=game.external_id, name=name, box_art_url=art or game.box_art_url)
