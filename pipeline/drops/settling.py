"""Say what of a campaign differs from what its events said last. Pure: values in, values out.

An item is a field of the campaign (`end_at`), one of its drops (`drop:` and its id) or one of its channels (`channel:`
and its id). Its value is JSON, null for a drop or a channel that is not there.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from pipeline.catalogue.records import ChannelRecord
from pipeline.drops.compare import CAMPAIGN_FIELDS, NO_NEWS, CampaignDiff, compare
from pipeline.drops.records import CampaignRecord, DropRecord

# Whether the campaign is listed: true until it is withdrawn.
LISTED = "listed"
DROP, CHANNEL = "drop:", "channel:"
_FIELDS = (*(name for name in CAMPAIGN_FIELDS if name not in NO_NEWS), "organization", "game")
_TYPES: Mapping[str, Any] = {field.name: field.type for field in msgspec.structs.fields(CampaignRecord)}
# `compare` takes an empty list for an outage of that part of the source; these stand in both lists.
_SOME_DROP = DropRecord(external_id="a drop that stays")
_SOME_CHANNEL = ChannelRecord(external_id="a channel that stays", login="")


def changed_items(before: CampaignRecord, diff: CampaignDiff) -> list[str]:
    """Return the items in the event of changed fields; a blank that is filled is none."""
    names = {*diff.fields, *(name for name in ("organization", "game") if getattr(diff, f"{name}_changed"))}
    fields = [name for name in _FIELDS if name in names and getattr(before, name) is not None]
    return fields + [DROP + drop.external_id for drop in (*diff.drops_changed, *diff.drops_gone)]


def values(campaign: CampaignRecord, items: Iterable[str]) -> dict[str, Any]:
    """Return the values of items."""
    drops = {DROP + drop.external_id: drop for drop in campaign.drops or ()}
    channels = {CHANNEL + channel.external_id: channel for channel in campaign.channels or ()}
    parts: Mapping[str, Any] = {**drops, **channels, **{name: getattr(campaign, name) for name in _FIELDS}}
    return {item: msgspec.to_builtins(parts.get(item)) for item in items}


def difference(campaign: CampaignRecord, before: Mapping[str, Any], after: Mapping[str, Any]) -> CampaignDiff:
    """Return what differs between two sets of values of the same items of a campaign."""
    return compare(_whole(with_values(campaign, before)), _whole(with_values(campaign, after)))


def with_values(campaign: CampaignRecord, items: Mapping[str, Any]) -> CampaignRecord:
    """Return the campaign with nothing but the values of these items, and its name."""
    fields = {name: msgspec.convert(items[name], _TYPES[name]) for name in _FIELDS if items.get(name) is not None}
    named = {"service": campaign.service, "external_id": campaign.external_id, "name": campaign.name}
    drops = msgspec.convert(_parts(items, DROP), tuple[DropRecord, ...])
    channels = msgspec.convert(_parts(items, CHANNEL), tuple[ChannelRecord, ...])
    return CampaignRecord(**named | fields, drops=drops, channels=channels)


def _parts(items: Mapping[str, Any], kind: str) -> list[Any]:
    return [value for item, value in items.items() if item.startswith(kind) and value is not None]


def _whole(campaign: CampaignRecord) -> CampaignRecord:
    drops, channels = (*(campaign.drops or ()), _SOME_DROP), (*(campaign.channels or ()), _SOME_CHANNEL)
    return msgspec.structs.replace(campaign, drops=drops, channels=channels)
