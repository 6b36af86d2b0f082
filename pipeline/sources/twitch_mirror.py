"""Twitch drops and rewards from the community mirror, which needs no account.

`https://twitch-drops-api.sunkwi.com`: `/v2/drops` and `/v2/rewards` are `{lastUpdatedAt, refreshIntervalSeconds,
data}`; `/drops` and `/rewards` are the bare lists with the same facts in headers. Only ACTIVE campaigns are listed.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

import msgspec

from pipeline.errors import SourceChanged, SourceError, SourceUnavailable
from pipeline.http import Client, Reply, conditional
from pipeline.records import (
    BenefitRecord,
    CampaignRecord,
    ChannelRecord,
    DropRecord,
    GameRecord,
    Item,
    OrganizationRecord,
    RewardCampaignRecord,
    RewardRecord,
    Snapshot,
    clean,
)
from pipeline.sources.base import (
    UNREADABLE,
    Answer,
    Count,
    Id,
    Time,
    Validators,
    decode_item,
    digest,
    identity,
    required,
    utc,
)


class Wire(msgspec.Struct, rename="camel"):
    """Base of the mirror's shapes: camelCase, unknown fields pass."""


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
    last_updated_at: Time | None = None
    refresh_interval_seconds: Count | None = None


class WireOrganization(Wire):
    id: Id
    name: str | None = None


class WireGame(Wire):
    id: Id
    display_name: str | None = None
    name: str | None = None


class WireChannel(Wire):
    id: Id
    name: str | None = None
    display_name: str | None = None


class WireAllow(Wire):
    channels: list[WireChannel | None] | None = None


class WireBenefit(Wire):
    id: Id
    name: str | None = None
    image: str | None = msgspec.field(default=None, name="imageAssetURL")
    distribution_type: str | None = None
    is_ios_available: bool | None = None
    created_at: Time | None = None


class WireEdge(Wire):
    benefit: WireBenefit | None = None
    entitlement_limit: Count | None = None


class WirePrecondition(Wire):
    id: Id


class WireDrop(Wire):
    id: Id
    name: str | None = None
    required_minutes_watched: Count | None = None
    required_subs: Count | None = None
    precondition_drops: list[WirePrecondition] | None = None
    benefit_edges: list[WireEdge | None] | None = None
    start_at: Time | None = None
    end_at: Time | None = None


class WireCampaign(Wire):
    id: Id
    name: str
    start_at: Time
    end_at: Time
    description: str | None = None
    details: str | None = msgspec.field(default=None, name="detailsURL")
    account_link: str | None = msgspec.field(default=None, name="accountLinkURL")
    image: str | None = msgspec.field(default=None, name="imageURL")
    status: str | None = None
    owner: WireOrganization | None = None
    game: WireGame | None = None
    allow: WireAllow | None = None
    time_based_drops: list[WireDrop | None] | None = None


class WireImage(Wire):
    url: str | None = msgspec.field(default=None, name="image1xURL")


class WireGoals(Wire):
    subs_goal: Count | None = None
    minute_watched_goal: Count | None = None


class WireReward(Wire):
    id: Id
    name: str
    thumbnail_image: WireImage | None = None
    banner_image: WireImage | None = None
    earnable_until: Time | None = None
    redemption_instructions: str | None = None
    redemption: str | None = msgspec.field(default=None, name="redemptionURL")


class WireRewardCampaign(Wire):
    id: Id
    name: str
    starts_at: Time
    ends_at: Time
    brand: str | None = None
    summary: str | None = None
    instructions: str | None = None
    about: str | None = msgspec.field(default=None, name="aboutURL")
    external: str | None = msgspec.field(default=None, name="externalURL")
    is_sitewide: bool | None = None
    game: WireGame | None = None
    unlock_requirements: WireGoals | None = None
    image: WireImage | None = None
    rewards: list[WireReward | None] | None = None


_ENVELOPE = msgspec.json.Decoder(WireEnvelope)
_GROUPS = msgspec.json.Decoder(list[WireGroup])
_GROUP = msgspec.json.Decoder(WireGroup)
_GROUP_HEAD = msgspec.json.Decoder(WireGroupHead)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_CAMPAIGN = msgspec.json.Decoder(WireCampaign)
_REWARD_CAMPAIGN = msgspec.json.Decoder(WireRewardCampaign)
_STATUS: Mapping[str, Literal["upcoming", "active", "ended"]] = {
    "ACTIVE": "active",
    "UPCOMING": "upcoming",
    "EXPIRED": "ended",
}


class _Mirror:
    """What the two lists of the mirror share: the request, the envelope, the way back to version 1."""

    service: ClassVar[Literal["twitch"]] = "twitch"
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
        taken_at, refresh = _told_times(reply)
        return Answer(
            payload=None if reply.status == 304 else reply.body,
            taken_at=taken_at,
            refresh_after=max(self._poll_every, timedelta(seconds=refresh or 0)),
            validators=Validators(
                etag=reply.headers.get("ETag"),
                last_modified=reply.headers.get("Last-Modified"),
                cursor={"path": path},
            ),
        )


class TwitchDrops(_Mirror):
    """Active drop campaigns, listed by game."""

    name = "twitch.drops"
    kind: ClassVar[Literal["campaign"]] = "campaign"
    paths = ("/v2/drops", "/drops")

    def split(self, payload: bytes) -> Snapshot:
        """Cut the list into campaigns; a group that cannot be read is set aside alone."""
        listed = _list_of(payload)
        broken: list[tuple[bytes, str]] = []
        try:
            groups = _GROUPS.decode(listed)
        except UNREADABLE:
            groups = list(_readable_groups(listed, broken))
        items = [_item(raw, group) for group in groups for raw in group.rewards]
        empty = frozenset(game_id for group in groups if not group.rewards and (game_id := identity(group.game_id)))
        return Snapshot(items=items, broken=broken, empty_groups=empty)

    def parse(self, item: Item) -> CampaignRecord:
        """Decode one campaign; what the campaign does not say of its game, its group does."""
        wire = decode_item(_CAMPAIGN, item)
        return CampaignRecord(
            service=self.service,
            external_id=required(str(wire.id), "id"),
            name=required(wire.name, "name"),
            description=clean(wire.description),
            details_url=clean(wire.details),
            account_link_url=clean(wire.account_link),
            image_url=clean(wire.image),
            start_at=utc(wire.start_at),
            end_at=utc(wire.end_at),
            status=_STATUS.get(wire.status or ""),
            organization=_organization(wire.owner),
            game=_game(wire.game, item.context),
            drops=None if wire.time_based_drops is None else tuple(_drop(d) for d in wire.time_based_drops if d),
            channels=_channels(wire.allow),
        )


class TwitchRewards(_Mirror):
    """Reward campaigns ("quests")."""

    name = "twitch.rewards"
    kind: ClassVar[Literal["reward"]] = "reward"
    paths = ("/v2/rewards", "/rewards")

    def split(self, payload: bytes) -> Snapshot:
        """Cut the list into reward campaigns."""
        try:
            raws = _RAWS.decode(_list_of(payload))
        except UNREADABLE as error:
            raise SourceChanged(f"not a list of reward campaigns: {error}", payload=payload) from error
        return Snapshot(items=[Item(digest(raw), raw) for raw in raws])

    def parse(self, item: Item) -> RewardCampaignRecord:
        """Decode one reward campaign."""
        wire = decode_item(_REWARD_CAMPAIGN, item)
        goals = wire.unlock_requirements or WireGoals()
        return RewardCampaignRecord(
            service=self.service,
            external_id=required(str(wire.id), "id"),
            name=required(wire.name, "name"),
            brand=clean(wire.brand),
            summary=clean(wire.summary),
            instructions=clean(wire.instructions),
            about_url=clean(wire.about),
            external_url=clean(wire.external),
            image_url=clean(wire.image.url if wire.image else None),
            is_sitewide=wire.is_sitewide,
            required_minutes=goals.minute_watched_goal,
            required_subs=goals.subs_goal,
            start_at=utc(wire.starts_at),
            end_at=utc(wire.ends_at),
            game=_game(wire.game, None),
            rewards=tuple(_reward(reward) for reward in wire.rewards or () if reward),
        )


def _other_version_may_help(error: SourceError) -> bool:
    """Whether the service answered, but not with what this version promises; a wait that it asks for is obeyed."""
    if isinstance(error, SourceUnavailable):
        return error.status is not None and error.retry_after is None
    return isinstance(error, SourceChanged)


def _told_times(reply: Reply) -> tuple[datetime | None, int | None]:
    """Return when the mirror says that its data was true, and how often (in seconds) it changes at most."""
    headers = reply.headers
    told: dict[str, Any] = {
        "lastUpdatedAt": headers.get("X-Last-Updated-At"),
        "refreshIntervalSeconds": headers.get("X-Refresh-Interval-Seconds"),
    }
    if reply.body.lstrip()[:1] == b"{":
        try:
            envelope = _ENVELOPE.decode(reply.body)
        except UNREADABLE as error:
            raise SourceChanged(f"unknown envelope: {error}", payload=reply.body) from error
        return utc(envelope.last_updated_at), envelope.refresh_interval_seconds
    if reply.status != 304 and reply.body.lstrip()[:1] != b"[":
        raise SourceChanged("the answer is not JSON", payload=reply.body)
    try:
        header = msgspec.convert({**told, "data": msgspec.Raw(b"")}, WireEnvelope, strict=False)
    except msgspec.ValidationError:
        return None, None
    return utc(header.last_updated_at), header.refresh_interval_seconds


def _list_of(payload: bytes) -> bytes | msgspec.Raw:
    if payload.lstrip()[:1] != b"{":
        return payload
    try:
        return _ENVELOPE.decode(payload).data
    except UNREADABLE as error:
        raise SourceChanged(f"unknown envelope: {error}", payload=payload) from error


def _readable_groups(listed: bytes | msgspec.Raw, broken: list[tuple[bytes, str]]) -> list[WireGroup]:
    """Decode group by group, setting aside those that do not fit; raises where not even the list can be read.

    One that still tells its game counts as a group that came empty, so that none of its campaigns is judged gone.
    """
    groups = []
    try:
        raws = _RAWS.decode(listed)
    except UNREADABLE as error:
        raise SourceChanged(f"not a list of games: {error}", payload=bytes(listed)) from error
    for raw in raws:
        try:
            groups.append(_GROUP.decode(raw))
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


def _game(wire: WireGame | None, group: WireGroup | None) -> GameRecord | None:
    group_id = identity(group.game_id) if group else None
    group_name = clean(group.game_display_name) if group else None
    box_art = clean(group.box_art) if group else None
    external_id = identity(wire.id) if wire else None
    if wire is None or external_id is None:
        if group_id is None or group_name is None:
            return None
        return GameRecord(external_id=group_id, name=group_name, box_art_url=box_art)
    if group_id != external_id:
        group_name = box_art = None
    name = clean(wire.display_name) or clean(wire.name) or group_name or external_id
    return GameRecord(external_id=external_id, name=name, box_art_url=box_art)


def _organization(wire: WireOrganization | None) -> OrganizationRecord | None:
    external_id = identity(wire.id) if wire else None
    if wire is None or external_id is None:
        return None
    return OrganizationRecord(external_id=external_id, name=clean(wire.name) or external_id)


def _channels(allow: WireAllow | None) -> tuple[ChannelRecord, ...] | None:
    if allow is None:
        return None
    return tuple(
        ChannelRecord(
            external_id=external_id,
            login=clean(channel.name) or clean(channel.display_name) or external_id,
            display_name=clean(channel.display_name),
        )
        for channel in allow.channels or ()
        if channel and (external_id := identity(channel.id))
    )


def _drop(wire: WireDrop) -> DropRecord:
    listed = wire.precondition_drops
    return DropRecord(
        external_id=required(str(wire.id), "timeBasedDrops.id"),
        name=clean(wire.name),
        required_minutes=wire.required_minutes_watched,
        required_subs=wire.required_subs,
        precondition_drop_ids=None if listed is None else tuple(key for p in listed if (key := identity(p.id))),
        start_at=utc(wire.start_at),
        end_at=utc(wire.end_at),
        benefits=tuple(_benefit(edge.benefit, edge) for edge in wire.benefit_edges or () if edge and edge.benefit),
    )


def _benefit(wire: WireBenefit, edge: WireEdge) -> BenefitRecord:
    return BenefitRecord(
        external_id=required(str(wire.id), "benefit.id"),
        name=clean(wire.name),
        image_url=clean(wire.image),
        distribution_type=clean(wire.distribution_type),
        is_ios_available=wire.is_ios_available,
        created_at=utc(wire.created_at),
        entitlement_limit=edge.entitlement_limit,
    )


def _reward(wire: WireReward) -> RewardRecord:
    image = wire.thumbnail_image or wire.banner_image
    return RewardRecord(
        external_id=required(str(wire.id), "rewards.id"),
        name=required(wire.name, "rewards.name"),
        image_url=clean(image.url) if image else None,
        earnable_until=utc(wire.earnable_until),
        redemption_url=clean(wire.redemption),
        redemption_instructions=clean(wire.redemption_instructions),
    )
