"""Campaigns, drops and rewards as sources list them: frozen records in the same terms for every service.

In a record None means "the source did not say", which never overwrites what is known. All times are aware UTC.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from pipeline.catalogue.records import ChannelRecord, GameRecord, OrganizationRecord


class BenefitRecord(msgspec.Struct, frozen=True, kw_only=True):
    external_id: str
    name: str | None = None
    image_url: str | None = None
    distribution_type: str | None = None
    is_ios_available: bool | None = None
    created_at: datetime | None = None
    entitlement_limit: int | None = None


# Between a drop's id and that of one of its groups of rewards, which is a drop of its own.
PART = "/"


def whole_of(external_id: str) -> str:
    """Return the id of the drop that an id is a part of: itself, where it is none."""
    return external_id.rpartition(PART)[0] or external_id


class DropRecord(msgspec.Struct, frozen=True, kw_only=True):
    external_id: str
    name: str | None = None
    required_minutes: int | None = None
    required_subs: int | None = None
    required_turbo_subs: int | None = None
    precondition_drop_ids: tuple[str, ...] | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    benefits: tuple[BenefitRecord, ...] = ()


class CampaignRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A drop campaign. `drops` and `channels` are None where the source does not list them at all."""

    service: str
    external_id: str
    name: str
    description: str | None = None
    details_url: str | None = None
    account_link_url: str | None = None
    image_url: str | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    # What the source itself says of the state, where it does.
    status: Literal["upcoming", "active", "ended"] | None = None
    organization: OrganizationRecord | None = None
    game: GameRecord | None = None
    drops: tuple[DropRecord, ...] | None = None
    channels: tuple[ChannelRecord, ...] | None = None
    # Of the account that the source is read with, where there is one.
    is_account_linked: bool | None = None


class ProgressRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How many minutes of a drop an account has watched, and whether it is claimed."""

    campaign_id: str
    drop_id: str
    minutes: int
    is_claimed: bool


class InventoryRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has: its drops in progress, when it was last awarded which benefit, and its links by campaign."""

    progress: tuple[ProgressRecord, ...] = ()
    awarded: Mapping[str, datetime] = {}
    linked: Mapping[str, bool] = {}


class RewardRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A reward; where it asks for nothing of its own, it asks for what its campaign does."""

    external_id: str
    name: str
    image_url: str | None = None
    required_minutes: int | None = None
    required_subs: int | None = None
    required_turbo_subs: int | None = None
    earnable_until: datetime | None = None
    redemption_url: str | None = None
    redemption_instructions: str | None = None


class RewardCampaignRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A reward campaign ("quest") with what it gives and what it asks for."""

    service: str
    external_id: str
    name: str
    brand: str | None = None
    summary: str | None = None
    instructions: str | None = None
    about_url: str | None = None
    external_url: str | None = None
    image_url: str | None = None
    is_sitewide: bool | None = None
    required_minutes: int | None = None
    required_subs: int | None = None
    required_turbo_subs: int | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    game: GameRecord | None = None
    rewards: tuple[RewardRecord, ...] = ()
