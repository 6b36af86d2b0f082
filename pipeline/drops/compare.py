"""Compare the known record of a campaign with the current one of a source. Pure: values in, values out.

A value that is missing in the new record never counts as a change. One that was missing in the known record fills a
blank: it is stored, and is no news. One that is present in both and different is a change.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from models.details import FieldChange
from pipeline.catalogue.records import ChannelRecord, GameRecord, OrganizationRecord, filled
from pipeline.drops.parts import with_known_ids
from pipeline.drops.records import BenefitRecord, CampaignRecord, DropRecord, whole_of

Part = TypeVar("Part", DropRecord, BenefitRecord, GameRecord, OrganizationRecord)
Named = TypeVar("Named", GameRecord, OrganizationRecord)

CAMPAIGN_FIELDS = ("name", "description", "details_url", "account_link_url", "image_url", "start_at", "end_at")
DROP_FIELDS = (
    "name",
    "required_minutes",
    "required_subs",
    "required_turbo_subs",
    "precondition_drop_ids",
    "start_at",
    "end_at",
)
BENEFIT_FIELDS = ("name", "image_url", "distribution_type", "is_ios_available", "created_at", "entitlement_limit")
_SCALARS = ("description", "details_url", "account_link_url", "image_url", "start_at", "end_at")
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
    # The first drops that are known of a campaign, and parts of a known one: stored, and no news.
    drops_filled: tuple[DropRecord, ...] = ()
    drops_added: tuple[DropRecord, ...] = ()
    drops_changed: tuple[DropRecord, ...] = ()
    drops_gone: tuple[DropRecord, ...] = ()
    # The first word on channels, which may be that none is named.
    channels_filled: tuple[ChannelRecord, ...] | None = None
    channels_added: tuple[ChannelRecord, ...] = ()
    channels_removed: tuple[ChannelRecord, ...] = ()
    channels_renamed: tuple[ChannelRecord, ...] = ()
    # The source names no channel any more: not believed at once.
    channels_emptied: bool = False

    @property
    def drops_differ(self) -> bool:
        """Whether drops came, went or differ."""
        return bool(self.drops_filled or self.drops_added or self.drops_changed or self.drops_gone)

    def __bool__(self) -> bool:
        return self.channels_filled is not None or any(getattr(self, field) for field in self.__struct_fields__)


def blanks_only(known: CampaignRecord, current: CampaignRecord) -> CampaignRecord:
    """Return the current record as far as it fills blanks, for a source that a better placed one stands above.

    Blanks are filled by field, also inside drops and benefits. A list of drops, benefits or channels that is known is
    whole: what only the lower placed source lists is not added.
    """
    blanks = {name: None for name in _SCALARS if getattr(known, name) is not None}
    current = with_known_parts(known, current)
    return msgspec.structs.replace(
        current,
        name=known.name,
        organization=_owner_filled(known.organization, current.organization),
        game=_owner_filled(known.game, current.game),
        drops=_filled_drops(_in_parts(known.drops, current.drops), current.drops) or current.drops,
        channels=current.channels if known.channels is None else None,
        **blanks,
    )


def merged(known: CampaignRecord, current: CampaignRecord) -> CampaignRecord:
    """Return the campaign after the change: the current record's values, and the known ones where it has none."""
    blanks = {name: getattr(known, name) for name in _SCALARS if getattr(current, name) is None}
    current = with_known_parts(known, current)
    return msgspec.structs.replace(
        current,
        organization=_owner_filled(current.organization, known.organization),
        game=_owner_filled(current.game, known.game),
        drops=_filled_drops(current.drops or (), known.drops) or known.drops,
        channels=current.channels or known.channels,
        **blanks,
    )


def _owner_filled(owner: Named | None, other: Named | None) -> Named | None:
    """Return a campaign's game or organization, with the values of another record of the same one in its blanks."""
    if owner is None or other is None or owner.external_id != other.external_id:
        return owner or other
    return filled(owner if owner.named else msgspec.structs.replace(owner, name=other.name), other)


def _filled_drops(drops: Iterable[DropRecord], others: Iterable[DropRecord] | None) -> tuple[DropRecord, ...]:
    return tuple(_filled_all(drops, others, _filled_drop))


def _in_parts(drops: Iterable[DropRecord] | None, others: Iterable[DropRecord] | None) -> list[DropRecord]:
    """Return drops, with the parts that another record has of one (its groups of rewards) in its place."""
    parts: dict[str, list[DropRecord]] = {}
    for other in others or ():
        parts.setdefault(whole_of(other.external_id), []).append(other)
    wholes = {other.external_id for other in others or ()}
    return [
        part
        for drop in drops or ()
        for part in ((drop,) if drop.external_id in wholes else parts.get(drop.external_id, (drop,)))
    ]


def with_known_parts(known: CampaignRecord, current: CampaignRecord) -> CampaignRecord:
    """Return the current record, with its drops under the ids that their parts are known by."""
    if not current.drops or not known.drops:
        return current
    return msgspec.structs.replace(current, drops=tuple(with_known_ids(current.drops, known.drops)))


def _filled_drop(drop: DropRecord, other: DropRecord | None) -> DropRecord:
    """Return a drop with another record's values where it has none."""
    if other is None:
        return drop
    benefits = tuple(_filled_all(drop.benefits, other.benefits, filled)) or other.benefits
    return msgspec.structs.replace(filled(drop, other), benefits=benefits)


def _filled_all(
    records: Iterable[Part], others: Iterable[Part] | None, fill: Callable[[Part, Part | None], Part]
) -> Iterator[Part]:
    """Yield records, each with the blanks filled from the other record of the same id."""
    by_id = {other.external_id: other for other in others or ()}
    for record in records:
        yield fill(record, by_id.get(record.external_id))


def with_known(known: CampaignRecord, current: CampaignRecord) -> CampaignRecord:
    """Return the record of an incomplete answer, with the known drops, benefits and channels that it may lack."""
    current = with_known_parts(known, current)
    current_drops = {drop.external_id: drop for drop in current.drops or ()}
    before = {drop.external_id: drop for drop in known.drops or ()}
    drops = [_with_benefits(before.get(key), drop) for key, drop in current_drops.items()]
    drops += [drop for key, drop in before.items() if key not in current_drops]
    return msgspec.structs.replace(current, drops=tuple(drops), channels=_known_or_current(known, current))


def _known_or_current(known: CampaignRecord, current: CampaignRecord) -> tuple[ChannelRecord, ...] | None:
    if known.channels is None and current.channels is None:
        return None
    channels = {channel.external_id: channel for channel in (*(known.channels or ()), *(current.channels or ()))}
    return tuple(channels.values())


def _with_benefits(known: DropRecord | None, current: DropRecord) -> DropRecord:
    if known is None or not current.benefits:
        return current
    benefits = {benefit.external_id: benefit for benefit in (*known.benefits, *current.benefits)}
    return msgspec.structs.replace(current, benefits=tuple(benefits.values()))


def compare(known: CampaignRecord, current: CampaignRecord) -> CampaignDiff:
    """Return the difference; `known` is what the database holds, in the same shape."""
    current = with_known_parts(known, current)
    fields = _changed_fields(known, current, CAMPAIGN_FIELDS)
    changes = [_change(name, known, current) for name in fields if _is_news(name, known)]
    organization_changed = _other_identity(known.organization, current.organization)
    game_changed = _other_identity(known.game, current.game)
    changes += _identity_changes(known, current, organization_changed=organization_changed, game_changed=game_changed)

    known_drops = {drop.external_id: drop for drop in known.drops or ()}
    current_drops = {drop.external_id: drop for drop in current.drops or ()}
    new = [drop for key, drop in current_drops.items() if key not in known_drops]
    added = tuple(drop for drop in new if known_drops and not _fills(drop, known_drops, current_drops))
    # An empty list is an outage of that part of the source, not the end of every drop.
    gone = tuple(drop for key, drop in known_drops.items() if current_drops and key not in current_drops)
    pairs = [(known_drops[key], drop) for key, drop in current_drops.items() if key in known_drops]
    altered = [(old, new) for old, new in pairs if _drop_differs(old, new)]
    changes += [change for old, new in altered for change in _drop_changes(old, new, moved=fields.keys())]
    # A drop that is listed in parts is not gone, only better known.
    split = {whole_of(drop.external_id) for drop in new if drop not in added}
    changes += [
        FieldChange(field="drop", old=drop.name or drop.external_id, new=None, about=drop.name)
        for drop in gone
        if drop.external_id not in split
    ]

    return CampaignDiff(
        changes=tuple(changes),
        fields=fields,
        organization_changed=organization_changed,
        game_changed=game_changed,
        catalogue_changed=_catalogue_changed(known, current),
        drops_filled=tuple(drop for drop in new if drop not in added),
        drops_added=added,
        drops_changed=tuple(new for _, new in altered),
        drops_gone=gone,
        **_compare_channels(known.channels, current.channels),
    )


def _fills(drop: DropRecord, known: Collection[str], current: Collection[str]) -> bool:
    """Whether a new drop is a part of a known one that is not listed whole any more."""
    whole = whole_of(drop.external_id)
    return whole != drop.external_id and whole in known and whole not in current


def _compare_channels(
    known: tuple[ChannelRecord, ...] | None, current: tuple[ChannelRecord, ...] | None
) -> dict[str, Any]:
    """Compare channels by their ids: another login or display name is a rename."""
    if current is None:
        return {}
    if known is None:
        return {"channels_filled": current}
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


def _is_news(name: str, known: Any) -> bool:
    """Whether another value of a field is news: a first one fills a blank."""
    return name not in NO_NEWS and getattr(known, name) is not None


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
    # The catalogue names a game once, so that only a first name is stored.
    named = bool(game and known.game and game.named and not known.game.named)
    return renamed or repainted or named


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
        if _is_news(name, old) and name not in moved:
            yield _change(name, old, new, about=about)
    before, now = _benefit_names(old, new), _benefit_names(new, old)
    if before and now and sorted(before) != sorted(now) and not _only_named(old, new):
        yield FieldChange(field="benefits", old=before, new=now, about=about)


def _only_named(old: DropRecord, new: DropRecord) -> bool:
    """Whether benefits that had no name were only replaced by as many that have one: their blanks are filled."""
    known, current = ({benefit.external_id for benefit in drop.benefits} for drop in (old, new))
    gone = [benefit for benefit in old.benefits if benefit.external_id not in current]
    return len(current - known) == len(gone) > 0 and not any(benefit.name for benefit in gone)


def _benefit_names(drop: DropRecord, other: DropRecord) -> list[str]:
    """Return each benefit once; one that comes without its name has the name that the other record gives it."""
    names = {benefit.external_id: benefit.name for benefit in other.benefits}
    names_by_id = {b.external_id: b.name or names.get(b.external_id) or b.external_id for b in drop.benefits}
    return list(names_by_id.values())


def _change(name: str, old: Any, new: Any, about: str | None = None) -> FieldChange:
    return FieldChange(field=name, old=_plain(getattr(old, name)), new=_plain(getattr(new, name)), about=about)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
