"""Say what changed between what is known of a campaign and what a source tells of it now. Pure: values in, values out.

A value that is missing in the new record never counts as a change; one that is present and different does.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from models.details import FieldChange
from pipeline.records import CampaignRecord, ChannelRecord, DropRecord

CAMPAIGN_FIELDS = ("name", "description", "details_url", "account_link_url", "image_url", "start_at", "end_at")
DROP_FIELDS = ("name", "required_minutes", "required_subs", "precondition_drop_ids", "start_at", "end_at")
BENEFIT_FIELDS = ("name", "image_url", "distribution_type")
# A picture's new address or a reordered precondition is stored, but it is no news.
UNTOLD = frozenset({"image_url", "precondition_drop_ids"})


class CampaignDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What to store and what to tell of one campaign; falsy when there is nothing of either."""

    # Told: fields of the campaign and of its drops, with old and new value.
    changes: tuple[FieldChange, ...] = ()
    # Stored: the campaign's own fields by name; organization and game where they are others than before.
    fields: dict[str, Any] = {}
    organization_changed: bool = False
    game_changed: bool = False
    # The organization's name or the game's box art: stored with them, told of nothing.
    catalogue_changed: bool = False
    drops_added: tuple[DropRecord, ...] = ()
    drops_changed: tuple[DropRecord, ...] = ()
    drops_gone: tuple[DropRecord, ...] = ()
    channels_added: tuple[ChannelRecord, ...] = ()
    channels_removed: tuple[ChannelRecord, ...] = ()
    channels_renamed: tuple[ChannelRecord, ...] = ()
    # The source names no channel any more: not believed at once.
    channels_emptied: bool = False

    @property
    def drops_told(self) -> bool:
        """Whether drops came, went or differ."""
        return bool(self.drops_added or self.drops_changed or self.drops_gone)

    def __bool__(self) -> bool:
        return any(getattr(self, field) for field in self.__struct_fields__)


def blanks_only(known: CampaignRecord, told: CampaignRecord) -> CampaignRecord:
    """Return what is told as far as it fills blanks, for a source that a better placed one stands above."""
    names = (name for name in told.__struct_fields__ if name not in {"service", "external_id", "name"})
    known_already = {name: None for name in names if (value := getattr(known, name)) is not None and value != ()}
    return msgspec.structs.replace(told, name=known.name, **known_already)


def with_known(known: CampaignRecord, told: CampaignRecord) -> CampaignRecord:
    """Return what an incomplete answer tells, with the drops, benefits and channels that it may merely lack."""
    told_drops = {drop.external_id: drop for drop in told.drops or ()}
    before = {drop.external_id: drop for drop in known.drops or ()}
    drops = [_with_benefits(before.get(key), drop) for key, drop in told_drops.items()]
    drops += [drop for key, drop in before.items() if key not in told_drops]
    channels = {channel.external_id: channel for channel in (*(known.channels or ()), *(told.channels or ()))}
    return msgspec.structs.replace(told, drops=tuple(drops), channels=tuple(channels.values()))


def _with_benefits(known: DropRecord | None, told: DropRecord) -> DropRecord:
    if known is None or not told.benefits:
        return told
    benefits = {benefit.external_id: benefit for benefit in (*known.benefits, *told.benefits)}
    return msgspec.structs.replace(told, benefits=tuple(benefits.values()))


def compare(known: CampaignRecord, told: CampaignRecord) -> CampaignDiff:
    """Return the difference; `known` is what the database holds, in the same shape."""
    fields = _changed_fields(known, told, CAMPAIGN_FIELDS)
    changes = [_change(name, known, told) for name in fields if name not in UNTOLD]
    organization_changed = _other_identity(known.organization, told.organization)
    game_changed = _other_identity(known.game, told.game)
    changes += _identity_changes(known, told, organization_changed=organization_changed, game_changed=game_changed)

    known_drops = {drop.external_id: drop for drop in known.drops or ()}
    told_drops = {drop.external_id: drop for drop in told.drops or ()}
    added = tuple(drop for key, drop in told_drops.items() if key not in known_drops)
    # A list that came empty is an outage of the part, not the end of every drop.
    gone = tuple(drop for key, drop in known_drops.items() if told_drops and key not in told_drops)
    pairs = [(known_drops[key], drop) for key, drop in told_drops.items() if key in known_drops]
    altered = [(old, new) for old, new in pairs if _drop_differs(old, new)]
    changes += [change for old, new in altered for change in _drop_changes(old, new, moved=fields.keys())]
    changes += [
        FieldChange(field="drop", old=drop.name or drop.external_id, new=None, about=drop.name) for drop in gone
    ]

    return CampaignDiff(
        changes=tuple(changes),
        fields=fields,
        organization_changed=organization_changed,
        game_changed=game_changed,
        catalogue_changed=_catalogue_changed(known, told),
        drops_added=added,
        drops_changed=tuple(new for _, new in altered),
        drops_gone=gone,
        **_compare_channels(known.channels or (), told.channels),
    )


def _compare_channels(known: Sequence[ChannelRecord], told: Sequence[ChannelRecord] | None) -> dict[str, Any]:
    """Channels are the same while their id is: another login or display name is a rename."""
    if told is None:
        return {}
    if not told:
        return {"channels_emptied": bool(known)}
    before = {channel.external_id: channel for channel in known}
    now = {channel.external_id: channel for channel in told}
    return {
        "channels_added": tuple(channel for key, channel in now.items() if key not in before),
        "channels_removed": tuple(channel for key, channel in before.items() if key not in now),
        "channels_renamed": tuple(
            channel for key, channel in now.items() if key in before and _renamed(before[key], channel)
        ),
    }


def _renamed(before: ChannelRecord, now: ChannelRecord) -> bool:
    # Display names flip to null and back all the time (154,142 times in 21 months): null says nothing.
    return before.login != now.login or now.display_name not in {None, before.display_name}


def _changed_fields(known: Any, told: Any, names: Iterable[str]) -> dict[str, Any]:
    return {
        name: value for name in names if (value := getattr(told, name)) is not None and value != getattr(known, name)
    }


def _other_identity(known: Any, told: Any) -> bool:
    return told is not None and (known is None or known.external_id != told.external_id)


def _catalogue_changed(known: CampaignRecord, told: CampaignRecord) -> bool:
    organization, game = told.organization, told.game
    renamed = bool(
        organization and known.organization and organization.named and organization.name != known.organization.name
    )
    repainted = bool(game and known.game and game.box_art_url and game.box_art_url != known.game.box_art_url)
    return renamed or repainted


def _identity_changes(
    known: CampaignRecord, told: CampaignRecord, *, organization_changed: bool, game_changed: bool
) -> list[FieldChange]:
    """A first organization or game fills a blank and is no news; another one is."""
    found = []
    if organization_changed and known.organization and told.organization:
        found.append(FieldChange(field="organization", old=known.organization.name, new=told.organization.name))
    if game_changed and known.game and told.game:
        found.append(FieldChange(field="game", old=known.game.name, new=told.game.name))
    return found


def _drop_differs(old: DropRecord, new: DropRecord) -> bool:
    if _changed_fields(old, new, DROP_FIELDS):
        return True
    known = {benefit.external_id: benefit for benefit in old.benefits}
    told = {benefit.external_id: benefit for benefit in new.benefits}
    if told and told.keys() != known.keys():
        return True
    return any(_changed_fields(known[key], benefit, BENEFIT_FIELDS) for key, benefit in told.items())


def _drop_changes(old: DropRecord, new: DropRecord, *, moved: Iterable[str]) -> Iterable[FieldChange]:
    """Drops move with their campaign: its own new start or end is told once, not once per drop."""
    about = new.name or old.name or new.external_id
    for name in _changed_fields(old, new, DROP_FIELDS):
        if name not in UNTOLD and name not in moved:
            yield _change(name, old, new, about=about)
    before, now = _benefit_names(old, old), _benefit_names(old, new)
    if now and sorted(before) != sorted(now):
        yield FieldChange(field="benefits", old=before, new=now, about=about)


def _benefit_names(known: DropRecord, drop: DropRecord) -> list[str]:
    """Return each benefit once; one that comes without its name keeps the name that is known."""
    names = {benefit.external_id: benefit.name for benefit in known.benefits}
    told = {b.external_id: b.name or names.get(b.external_id) or b.external_id for b in drop.benefits}
    return list(told.values())


def _change(name: str, old: Any, new: Any, about: str | None = None) -> FieldChange:
    return FieldChange(field=name, old=_plain(getattr(old, name)), new=_plain(getattr(new, name)), about=about)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
