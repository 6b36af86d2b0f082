"""What sources tell, parsed: frozen records in the same terms for every service.

In a record None means "the source did not say", which never overwrites what is known. All times are aware UTC.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

Service = Literal["twitch", "kick", "chzzk"]


class GameRecord(msgspec.Struct, frozen=True, kw_only=True):
    external_id: str
    name: str
    box_art_url: str | None = None


class OrganizationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An organization; where its name is not told the id stands in for it."""

    external_id: str
    name: str
    url: str | None = None
    logo_url: str | None = None

    @property
    def named(self) -> bool:
        """Whether the name was told."""
        return self.name != self.external_id


class ChannelRecord(msgspec.Struct, frozen=True, kw_only=True):
    external_id: str
    login: str
    display_name: str | None = None


class BenefitRecord(msgspec.Struct, frozen=True, kw_only=True):
    external_id: str
    name: str | None = None
    image_url: str | None = None
    distribution_type: str | None = None
    is_ios_available: bool | None = None
    created_at: datetime | None = None
    entitlement_limit: int | None = None


class DropRecord(msgspec.Struct, frozen=True, kw_only=True):
    external_id: str
    name: str | None = None
    required_minutes: int | None = None
    required_subs: int | None = None
    precondition_drop_ids: tuple[str, ...] | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    benefits: tuple[BenefitRecord, ...] = ()


class CampaignRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A drop campaign. `drops` and `channels` are None where the source does not list them at all."""

    service: Service
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


class RewardRecord(msgspec.Struct, frozen=True, kw_only=True):
    external_id: str
    name: str
    image_url: str | None = None
    earnable_until: datetime | None = None
    redemption_url: str | None = None
    redemption_instructions: str | None = None


class RewardCampaignRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A reward campaign ("quest") with what it gives and what it asks for."""

    service: Service
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
    start_at: datetime | None = None
    end_at: datetime | None = None
    game: GameRecord | None = None
    rewards: tuple[RewardRecord, ...] = ()


class Item(msgspec.Struct, frozen=True):
    """One campaign of a payload, not decoded yet: its raw JSON and a digest that changes when anything in it does.

    `group_id` is the game under which the payload lists it, `context` what a group says for all its items.
    """

    digest: bytes
    raw: bytes | msgspec.Raw
    group_id: str | None = None
    context: Any = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one answer told at one moment.

    `scope` is None when the answer lists all that there is; else it holds the ids that were asked for, and nothing
    else may be judged absent. Groups in `empty_groups` judge none of their campaigns. An answer that is not `complete`,
    because the service failed to tell a part of it, may add and update but shows nothing to be gone.
    """

    items: Sequence[Item]
    # Items whose envelope could not even be split: (raw bytes, reason).
    broken: Sequence[tuple[bytes, str]] = ()
    scope: frozenset[str] | None = None
    empty_groups: frozenset[str] = frozenset()
    complete: bool = True


_NOT_STORABLE = dict.fromkeys([0, *range(0xD800, 0xE000)])


def clean(text: str | None) -> str | None:
    """Return the text without what PostgreSQL cannot store (NUL, lone surrogates); None where nothing is left."""
    if text is None:
        return None
    # Nearly all text is printable, and to see that costs a tenth of translating it.
    storable = text if text.isprintable() else text.translate(_NOT_STORABLE)
    return storable.strip() or None
