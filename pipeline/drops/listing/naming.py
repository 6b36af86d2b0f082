"""Finds the campaign, the game or the benefit that a person means by a name."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, exists, literal, null, select, true

from models import DropBenefit, DropBenefitEdge, DropCampaign, Game, TimeBasedDrop
from models.errors import UnknownThing, UsageError
from models.names import name_key, nearest
from models.printable import NAME_LENGTH, on_a_line
from models.words.units import moment_in_figures, service_name
from notifiers.settled import What

SHOWN_AT_MOST = 8
_WHATS: tuple[What, ...] = ("campaign", "game", "benefit")


class Named(NamedTuple):
    """A thing that has a name; one that is over, or hangs on nothing that is not, gives way to one that is not.

    Where a person has to choose, `game` and `campaign` say where it is from: the newest that has it.
    """

    what: What
    id: int
    name: str
    external_id: str | None
    service: str | None
    end_at: datetime | None
    is_open: bool
    game: str | None = None
    campaign: str | None = None

    @property
    def reference(self) -> str:
        """What names it beyond doubt: `campaign:12`."""
        return f"{self.what}:{self.id}"

    @property
    def shown(self) -> str:
        """Its name, as a line that is not too long."""
        return on_a_line(self.name, NAME_LENGTH)

    @property
    def described(self) -> str:
        """What it is, for a person who has to choose."""
        about: list[str | None] = [f"{self.what} of {self.game}" if self.game else self.what]
        about += [f"campaign {self.campaign}" if self.campaign else None]
        about += [service_name(self.service) if self.service else None]
        about += [f"until {moment_in_figures(self.end_at)}" if self.end_at else None]
        shown = (on_a_line(each, NAME_LENGTH) for each in about if each)
        return f"{self.shown} ({', '.join(shown)}) is {self.reference}"


def find_named(connection: Connection, written: str, *, among: Sequence[What] = _WHATS) -> Named:
    """Return what a person means by a name, an id of the service, or `campaign:12`, `game:3`, `benefit:7`.

    Case, accents and punctuation do not count. Raises `UnknownThing` where it is none of those `among` which it may be,
    and `UsageError` where it may be several, with what may be meant.
    """
    things = [thing for thing in _all(connection) if thing.what in among]
    matches = _by_reference(things, written) or _by_name(things, written)
    if len(matches) == 1:
        return matches[0]
    if not matches:
        near = nearest(written, {thing.name for thing in things if thing.is_open})
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        kinds = f"{', '.join(among[:-1])} or {among[-1]}" if len(among) > 1 else among[0]
        raise UnknownThing(f"{written!r} is the name of no {kinds} that is known.{meant}")
    shown = ", ".join(_placed(connection, thing).described for thing in matches[:SHOWN_AT_MOST])
    more = f" and {len(matches) - SHOWN_AT_MOST} more" if len(matches) > SHOWN_AT_MOST else ""
    raise UsageError(f"{written!r} may be several things: {shown}{more}; say which, as in {matches[0].reference}")


def _by_reference(things: Iterable[Named], written: str) -> list[Named]:
    what, _, number = written.strip().partition(":")
    if what.lower() in _WHATS and number.isdecimal():
        return [thing for thing in things if thing.what == what.lower() and thing.id == int(number)]
    return [thing for thing in things if thing.external_id and thing.external_id == written.strip()]


def _by_name(things: Iterable[Named], written: str) -> list[Named]:
    key = name_key(written)
    matches = [thing for thing in things if name_key(thing.name) == key] if key else []
    return [thing for thing in matches if thing.is_open] or matches


def _placed(connection: Connection, thing: Named) -> Named:
    """Return a campaign with its game, a benefit with the game and the campaign too: namesakes differ in these."""
    if thing.what == "game":
        return thing
    query = select(Game.name, DropCampaign.name).select_from(DropCampaign).outerjoin(Game)
    if thing.what == "campaign":
        row = connection.execute(query.where(DropCampaign.id == thing.id)).one_or_none()
        return thing._replace(game=row[0]) if row else thing
    given = query.join(TimeBasedDrop, TimeBasedDrop.campaign_id == DropCampaign.id).join(
        DropBenefitEdge, (DropBenefitEdge.drop_id == TimeBasedDrop.id) & (DropBenefitEdge.benefit_id == thing.id)
    )
    row = connection.execute(given.order_by(_OPEN.desc(), DropCampaign.id.desc()).limit(1)).one_or_none()
    return thing._replace(game=row[0], campaign=row[1]) if row else thing


def _all(connection: Connection) -> Iterable[Named]:
    for query in (_campaigns(), _games(), _benefits()):
        yield from (Named(*row) for row in connection.execute(query))


_OPEN = DropCampaign.ended_at.is_(None) & DropCampaign.withdrawn_at.is_(None)


def _campaigns() -> Select[*tuple[Any, ...]]:
    columns = (DropCampaign.id, DropCampaign.name, DropCampaign.external_id, DropCampaign.service, DropCampaign.end_at)
    return select(_what("campaign"), *columns, _OPEN).order_by(DropCampaign.id.desc())


def _games() -> Select[*tuple[Any, ...]]:
    none = null()
    return select(_what("game"), Game.id, Game.name, none, none, none, true()).order_by(Game.id)


def _benefits() -> Select[*tuple[Any, ...]]:
    given = exists().where(
        DropBenefitEdge.benefit_id == DropBenefit.id,
        TimeBasedDrop.id == DropBenefitEdge.drop_id,
        DropCampaign.id == TimeBasedDrop.campaign_id,
        _OPEN,
    )
    columns = (DropBenefit.id, DropBenefit.name, DropBenefit.external_id, DropBenefit.service, null())
    named = DropBenefit.name.is_not(None)
    return select(_what("benefit"), *columns, given).where(named).order_by(DropBenefit.id.desc())


def _what(name: What) -> Any:
    return literal(name)
