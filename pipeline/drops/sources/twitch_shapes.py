"""The shapes of Twitch's campaigns, which its GraphQL and the community mirror have in common, and their records.

Older forms are the same with fields left out: 2022 knew neither `requiredSubs` nor `distributionType`, Inventory says
`game.name` for `displayName` and gives a channel's `url` for its `displayName`.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from pipeline.catalogue.records import ChannelRecord, GameRecord, OrganizationRecord
from pipeline.drops.records import BenefitRecord, CampaignRecord, DropRecord, RewardCampaignRecord, RewardRecord
from pipeline.fetch.shapes import Count, Id, Time, clean, identity, required, utc
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
        game=game,
        drops=None if wire.time_based_drops is None else tuple(_drop(d) for d in wire.time_based_drops if d),
        channels=_channels(wire.allow),
    )


def reward_campaign_record(wire: WireRewardCampaign) -> RewardCampaignRecord:
    """Return a reward campaign as a record."""
    goals = wire.unlock_requirements or WireGoals()
    return RewardCampaignRecord(
        service="twitch",
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
        game=game_record(wire.game),
        rewards=tuple(_reward(reward) for reward in wire.rewards or () if reward),
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
            login=clean(channel.name) or _login_in(channel.url) or clean(channel.display_name) or external_id,
            display_name=clean(channel.display_name),
        )
        for channel in allow.channels or ()
        if channel and (external_id := identity(channel.id))
    )


def _login_in(url: str | None) -> str | None:
    return clean(url.rstrip("/").rpartition("/")[2]) if url else None


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
