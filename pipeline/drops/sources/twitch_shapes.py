"""The shapes of Twitch's campaigns, which its GraphQL and the community mirror have in common, and their records.

Dashboards since 2026 give rewards in groups, each with what it asks for. Older forms are the same with fields left out:
2022 knew neither `requiredSubs` nor `distributionType`, Inventory says `game.name` for `displayName` and gives a
channel's `url` for its `displayName`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from pipeline.catalogue.records import ChannelRecord, GameRecord, OrganizationRecord
from pipeline.drops.records import (
    PART,
    BenefitRecord,
    CampaignRecord,
    DropRecord,
    RewardCampaignRecord,
    RewardRecord,
)
from pipeline.fetch.shapes import Count, Id, Time, clean, identity, required, required_id, utc
from pipeline.services.twitch.wire import Wire


class WireOrganization(Wire):
    id: Id
    name: str | None = None


class WireGame(Wire):
    id: Id
    display_name: str | None = None
    name: str | None = None
    box_art: str | None = msgspec.field(default=None, name="boxArtURL")


class WireChannel(Wire):
    id: Id
    name: str | None = None
    display_name: str | None = None
    url: str | None = None


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


class WireImage(Wire):
    url: str | None = msgspec.field(default=None, name="image1xURL")


class WireGoals(Wire):
    subs_goal: Count | None = None
    minute_watched_goal: Count | None = None
    turbo_subs_goal: Count | None = None


class WireReward(Wire):
    id: Id
    name: str | None = None
    thumbnail_image: WireImage | None = None
    banner_image: WireImage | None = None
    earnable_until: Time | None = None
    redemption_instructions: str | None = None
    redemption: str | None = msgspec.field(default=None, name="redemptionURL")


class WireRewardGroup(Wire):
    id: Id | None = None
    unlock_requirements: WireGoals | None = None
    rewards: list[WireReward | None] | None = None


class WireDrop(Wire):
    id: Id
    name: str | None = None
    required_minutes_watched: Count | None = None
    required_subs: Count | None = None
    required_turbo_subs: Count | None = None
    precondition_drops: list[WirePrecondition] | None = None
    benefit_edges: list[WireEdge | None] | None = None
    start_at: Time | None = None
    end_at: Time | None = None
    reward_groups: list[WireRewardGroup | None] | None = None


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
    reward_groups: list[WireRewardGroup | None] | None = None


CAMPAIGN = msgspec.json.Decoder(WireCampaign)
REWARD_CAMPAIGN = msgspec.json.Decoder(WireRewardCampaign)
_STATUS: Mapping[str, Literal["upcoming", "active", "ended"]] = {
    "ACTIVE": "active",
    "UPCOMING": "upcoming",
    "EXPIRED": "ended",
}


def campaign_record(wire: WireCampaign, game: GameRecord | None) -> CampaignRecord:
    """Return a drop campaign as a record; its game is the caller's, who may know more of it than the campaign says."""
    return CampaignRecord(
        service="twitch",
        external_id=required_id(wire.id, "id"),
        name=required(wire.name, "name"),
        description=clean(wire.description),
        details_url=clean(wire.details),
        account_link_url=clean(wire.account_link),
        image_url=clean(wire.image),
        start_at=utc(wire.start_at),
        end_at=utc(wire.end_at),
        status=_STATUS.get(wire.status or ""),
        organization=_organization(wire.owner),
        game=game,
        drops=None if wire.time_based_drops is None else tuple(_drops(wire.time_based_drops)),
        channels=_channels(wire.allow),
    )


def reward_campaign_record(wire: WireRewardCampaign) -> RewardCampaignRecord:
    """Return a reward campaign as a record."""
    goals = wire.unlock_requirements or WireGoals()
    return RewardCampaignRecord(
        service="twitch",
        external_id=required_id(wire.id, "id"),
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
        required_turbo_subs=goals.turbo_subs_goal,
        start_at=utc(wire.starts_at),
        end_at=utc(wire.ends_at),
        game=game_record(wire.game),
        rewards=tuple(_rewards(wire)),
    )


def game_record(wire: WireGame | None) -> GameRecord | None:
    """Return a game as a record; None where the campaign has none, or one without an id."""
    external_id = identity(wire.id) if wire else None
    if wire is None or external_id is None:
        return None
    name = clean(wire.display_name) or clean(wire.name) or external_id
    return GameRecord(external_id=external_id, name=name, box_art_url=clean(wire.box_art))


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
            login=identity(channel.name) or _login_in(channel.url) or identity(channel.display_name) or external_id,
            display_name=clean(channel.display_name),
        )
        for channel in allow.channels or ()
        if channel and (external_id := identity(channel.id))
    )


def _login_in(url: str | None) -> str | None:
    return identity(url.rstrip("/").rpartition("/")[2]) if url else None


def _drops(listed: Iterable[WireDrop | None]) -> Iterator[DropRecord]:
    """Yield drops; one with several groups of rewards is as many drops, each with an id of its own that stays."""
    for wire in filter(None, listed):
        groups = _ordered(wire.reward_groups)
        drop = _drop(wire)
        if not groups:
            yield drop
        for group in groups:
            part = _with_group(drop, group)
            key = drop.external_id + (f"{PART}{_key_of(group)}" if len(groups) > 1 else "")
            yield msgspec.structs.replace(part, external_id=key)


def _with_group(drop: DropRecord, group: WireRewardGroup) -> DropRecord:
    """Return a drop as one of its groups has it: with its rewards and what it asks for."""
    benefits = tuple(_benefit_of_group(reward) for reward in group.rewards or () if reward)
    goals = group.unlock_requirements
    if goals is not None:
        drop = msgspec.structs.replace(
            drop,
            required_minutes=goals.minute_watched_goal,
            required_subs=goals.subs_goal,
            required_turbo_subs=goals.turbo_subs_goal,
        )
    return msgspec.structs.replace(drop, benefits=benefits or drop.benefits)


def _benefit_of_group(wire: WireReward) -> BenefitRecord:
    """Return a group's reward as a benefit, which may come without its name."""
    return BenefitRecord(
        external_id=required_id(wire.id, "rewards.id"), name=clean(wire.name), image_url=_image_of(wire)
    )


def _drop(wire: WireDrop) -> DropRecord:
    listed = wire.precondition_drops
    return DropRecord(
        external_id=required_id(wire.id, "timeBasedDrops.id"),
        name=clean(wire.name),
        required_minutes=wire.required_minutes_watched,
        required_subs=wire.required_subs,
        required_turbo_subs=wire.required_turbo_subs,
        precondition_drop_ids=None if listed is None else tuple(key for p in listed if (key := identity(p.id))),
        start_at=utc(wire.start_at),
        end_at=utc(wire.end_at),
        benefits=tuple(_benefit(edge.benefit, edge) for edge in wire.benefit_edges or () if edge and edge.benefit),
    )


def _benefit(wire: WireBenefit, edge: WireEdge) -> BenefitRecord:
    return BenefitRecord(
        external_id=required_id(wire.id, "benefit.id"),
        name=clean(wire.name),
        image_url=clean(wire.image),
        distribution_type=clean(wire.distribution_type),
        is_ios_available=wire.is_ios_available,
        created_at=utc(wire.created_at),
        entitlement_limit=edge.entitlement_limit,
    )


def _rewards(wire: WireRewardCampaign) -> Iterator[RewardRecord]:
    """Yield the rewards of groups, those first that ask for least, then those that are in no group.

    A reward that a further group gives as well is one more way to it, under an id of its own.
    """
    listed: set[str] = set()
    for group in _ordered(wire.reward_groups):
        for reward in filter(None, group.rewards or ()):
            record = _reward(reward, group.unlock_requirements)
            if record.external_id in listed:
                record = msgspec.structs.replace(record, external_id=f"{record.external_id}{PART}{_key_of(group)}")
            listed.add(record.external_id)
            yield record
    records = (_reward(reward) for reward in wire.rewards or () if reward)
    yield from (record for record in records if record.external_id not in listed)


def _ordered(groups: Iterable[WireRewardGroup | None] | None) -> list[WireRewardGroup]:
    """Return groups, those first that ask for least: Twitch lists them in any order."""
    return sorted(filter(None, groups or ()), key=_goals_of)


def _key_of(group: WireRewardGroup) -> str:
    """Return a group's id, or its goals where it has none."""
    return identity(group.id) or "-".join(map(str, _goals_of(group)))


def _goals_of(group: WireRewardGroup) -> tuple[int, int, int]:
    goals = group.unlock_requirements or WireGoals()
    return goals.minute_watched_goal or 0, goals.subs_goal or 0, goals.turbo_subs_goal or 0


def _reward(wire: WireReward, goals: WireGoals | None = None) -> RewardRecord:
    own = goals or WireGoals()
    return RewardRecord(
        external_id=required_id(wire.id, "rewards.id"),
        name=required(wire.name, "rewards.name"),
        image_url=_image_of(wire),
        required_minutes=own.minute_watched_goal,
        required_subs=own.subs_goal,
        required_turbo_subs=own.turbo_subs_goal,
        earnable_until=utc(wire.earnable_until),
        redemption_url=clean(wire.redemption),
        redemption_instructions=clean(wire.redemption_instructions),
    )


def _image_of(wire: WireReward) -> str | None:
    image = wire.thumbnail_image or wire.banner_image
    return clean(image.url) if image else None
