"""Compare the known record of a campaign with the current one of a source. Pure: values in, values out.

A value that is missing in the new record never counts as a change; one that is present and different does.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from models.details import FieldChange
from pipeline.catalogue.records import ChannelRecord
from pipeline.drops.records import CampaignRecord, DropRecord

CAMPAIGN_FIELDS = ("name", "description", "details_url", "account_link_url", "image_url", "start_at", "end_at")
DROP_FIELDS = ("name", "required_minutes", "required_subs", "precondition_drop_ids", "start_at", "end_at")
BENEFIT_FIELDS = ("name", "image_url", "distribution_type")
# A picture's new address or a reordered precondition is stored, but it is no news.
NO_NEWS = frozenset({"image_url", "precondition_drop_ids"})


class CampaignDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What to store of one campaign and what its events show; false where there is nothing of either."""

    # For events: fields of the campaign and of its drops, with old and new value.
    changes: tuple[FieldChange, ...] = ()
    # To be stored: the campaign's own fields by name; organization and game where they are others than before.
    fields: dict[str, Any] = {}
    organization_changed: bool = False
    game_changed: bool = False
    # The organization's name or the game's box art: stored with them, and no news.
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
    def drops_differ(self) -> bool:
        """Whether drops came, went or differ."""
        return bool(self.drops_added or self.drops_changed or self.drops_gone)

    def __bool__(self) -> bool:
        return any(getattr(self, field) for field in self.__struct_fields__)


def blanks_only(known: CampaignRecord, current: CampaignRecord) -> CampaignRecord:
    """Return the current record as far as it fills blanks, for a source that a better placed one stands above."""
    names = (name for name in current.__struct_fields__ if name not in {"service", "external_id", "name"})
    known_already = {name: None for name in names if (value := getattr(known, name)) is not None and value != ()}
    return msgspec.structs.replace(current, name=known.name, **known_already)


def with_known(known: CampaignRecord, current: CampaignRecord) -> CampaignRecord:
    """Return the record of an incomplete answer, with the known drops, benefits and channels that it may lack."""
    current_drops = {drop.external_id: drop for drop in current.drops or ()}
    before = {drop.external_id: drop for drop in known.drops or ()}
    drops = [_with_benefits(before.get(key), drop) for key, drop in current_drops.items()]
    drops += [drop for key, drop in before.items() if key not in current_drops]
    channels = {channel.external_id: channel for channel in (*(known.channels or ()), *(current.channels or ()))}
    return msgspec.structs.replace(current, drops=tuple(drops), channels=tuple(channels.values()))


def _with_benefits(known: DropRecord | None, current: DropRecord) -> DropRecord:
    if known is None or not current.benefits:
        return current
    benefits = {benefit.external_id: benefit for benefit in (*known.benefits, *current.benefits)}
    return msgspec.structs.replace(current, benefits=tuple(benefits.values()))


def compare(known: CampaignRecord, current: CampaignRecord) -> CampaignDiff:
    """Return the difference; `known` is what the database holds, in the same shape."""
    fields = _changed_fields(known, current, CAMPAIGN_FIELDS)
    changes = [_change(name, known, current) for name in fields if name not in NO_NEWS]
    organization_changed = _other_identity(known.organization, current.organization)
    game_changed = _other_identity(known.game, current.game)
    changes += _identity_changes(known, current, organization_changed=organization_changed, game_changed=game_changed)

    known_drops = {drop.external_id: drop for drop in known.drops or ()}
    current_drops = {drop.external_id: drop for drop in current.drops or ()}
    added = tuple(drop for key, drop in current_drops.items() if key not in known_drops)
    # An empty list is an outage of that part of the source, not the end of every drop.
    gone = tuple(drop for key, drop in known_drops.items() if current_drops and key not in current_drops)
    pairs = [(known_drops[key], drop) for key, drop in current_drops.items() if key in known_drops]
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
        catalogue_changed=_catalogue_changed(known, current),
        drops_added=added,
        drops_changed=tuple(new for _, new in altered),
        drops_gone=gone,
        **_compare_channels(known.channels or (), current.channels),
    )


def _compare_channels(known: Sequence[ChannelRecord], current: Sequence[ChannelRecord] | None) -> dict[str, Any]:
    """Compare channels by their ids: another login or display name is a rename."""
    if current is None:
        return {}
    if not current:
        return {"channels_emptied": bool(known)}
    before = {channel.external_id: channel for channel in known}
    now = {channel.external_id: channel for channel in current}
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


def _changed_fields(known: Any, current: Any, names: Iterable[str]) -> dict[str, Any]:
    return {
        name: value for name in names if (value := getattr(current, name)) is not None and value != getattr(known, name)
    }


def _other_identity(known: Any, current: Any) -> bool:
    return current is not None and (known is None or known.external_id != current.external_id)


def _catalogue_changed(known: CampaignRecord, current: CampaignRecord) -> bool:
    organization, game = current.organization, current.game
    renamed = bool(
        organization and known.organization and organization.named and organization.name != known.organization.name
    )
    repainted = bool(game and known.game and game.box_art_url and game.box_art_url != known.game.box_art_url)
    return renamed or repainted


def _identity_changes(
    known: CampaignRecord, current: CampaignRecord, *, organization_changed: bool, game_changed: bool
) -> list[FieldChange]:
    """Return the news of organization and game: a first one fills a blank and is none, another one is."""
    changes = []
    if organization_changed and known.organization and current.organization:
        changes.append(FieldChange(field="organization", old=known.organization.name, new=current.organization.name))
    if game_changed and known.game and current.game:
        changes.append(FieldChange(field="game", old=known.game.name, new=current.game.name))
    return changes


def _drop_differs(old: DropRecord, new: DropRecord) -> bool:
    if _changed_fields(old, new, DROP_FIELDS):
        return True
    known = {benefit.external_id: benefit for benefit in old.benefits}
    current = {benefit.external_id: benefit for benefit in new.benefits}
    if current and current.keys() != known.keys():
        return True
    return any(_changed_fields(known[key], benefit, BENEFIT_FIELDS) for key, benefit in current.items())


def _drop_changes(old: DropRecord, new: DropRecord, *, moved: Iterable[str]) -> Iterable[FieldChange]:
    """Return the news of a drop, without the start or end that moved with its campaign's own."""
    about = new.name or old.name or new.external_id
    for name in _changed_fields(old, new, DROP_FIELDS):
        if name not in NO_NEWS and name not in moved:
            yield _change(name, old, new, about=about)
    before, now = _benefit_names(old, old), _benefit_names(old, new)
    if now and sorted(before) != sorted(now):
        yield FieldChange(field="benefits", old=before, new=now, about=about)


def _benefit_names(known: DropRecord, drop: DropRecord) -> list[str]:
    """Return each benefit once; one that comes without its name keeps the name that is known."""
    names = {benefit.external_id: benefit.name for benefit in known.benefits}
    names_by_id = {b.external_id: b.name or names.get(b.external_id) or b.external_id for b in drop.benefits}
    return list(names_by_id.values())


def _change(name: str, old: Any, new: Any, about: str | None = None) -> FieldChange:
    return FieldChange(field=name, old=_plain(getattr(old, name)), new=_plain(getattr(new, name)), about=about)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
