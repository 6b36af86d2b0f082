"""Shows messages before they are sent, and tries the operator's own templates on events that happened."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select

from models import Event, Subscription, Target
from models.events import EventKind
from models.people import OWNER_ID
from models.vault import Vault
from notifiers.apprise_urls import Opened, open_url
from notifiers.composing import Draft, compose
from notifiers.days import zone
from notifiers.errors import TargetError
from notifiers.holdings import load_holdings
from notifiers.outbox import OPERATOR_RULE
from notifiers.overrides import (
    ANY,
    SEVERAL,
    TITLE,
    Parts,
    TemplateError,
    TemplateFile,
    find,
    kind_and_part,
    template_of,
    template_paths,
    write,
)
from notifiers.reader import Reader
from notifiers.render import SUFFIXES, Foot, Format, Limits, render_message
from notifiers.samples import sample_event
from notifiers.standing import read_detail
from notifiers.subjects import load_subjects
from notifiers.targets import target_id_of
from notifiers.timing.settings import settings_from_json
from notifiers.view import EventText

_MAIL = Limits(pictures=True, html=60_000)


@dataclass(frozen=True)
class Preview:
    """A message as a target would get it; `templates` are the operator's own that it is made of.

    `payload` is what the service gets beside the text: embeds, blocks, the events. `problem` says why a template was
    not used.
    """

    title: str
    format: str
    body: str
    payload: Mapping[str, Any] | None
    templates: tuple[str, ...]
    problem: str | None


@dataclass(frozen=True)
class Checked:
    """A template, and what is wrong with it, or None."""

    file: str
    target: str | None
    kind: str
    part: str
    problem: str | None


def newest_event(connection: Connection, kind: EventKind, now: datetime) -> EventText:
    """Return the newest event of a kind, or an invented one where there was none yet.

    Of libraries, of that of the installation's owner alone.
    """
    query = select(Event).where(Event.kind == kind, _may_see()).order_by(Event.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return sample_event(kind, now) if row is None else _event_text(connection, row)


def load_event(connection: Connection, event_id: int, kind: str) -> EventText:
    """Return the event of a number; raises TargetError where it does not exist or is of another kind.

    An event of any kind may be among several; one of the library of anybody but the owner does not exist.
    """
    row = connection.execute(select(Event).where(Event.id == event_id, _may_see())).one_or_none()
    if row is None or kind not in {row.kind, SEVERAL}:
        what = f"is {row.kind}, not {kind}" if row else "does not exist"
        raise TargetError(f"Event {event_id} {what}; `lootwire events --json` shows the numbers.")
    return _event_text(connection, row)


def _may_see() -> ColumnElement[bool]:
    return or_(Event.person_id.is_(None), Event.person_id == OWNER_ID)


def _event_text(connection: Connection, row: Any) -> EventText:
    return EventText(
        kind=row.kind,
        title=row.title,
        occurred_at=row.occurred_at,
        service=row.service,
        detail=read_detail(row),
        id=row.id,
        key=row.event_key,
        recorded_at=row.recorded_at,
        silent=row.silent,
        subjects=load_subjects(connection, [row.id]).get(row.id, {}),
    )


def draft_for(
    connection: Connection,
    vault: Vault,
    target: str,
    events: Sequence[EventText],
    now: datetime,
    folder: Path,
    *,
    person_id: int = OWNER_ID,
) -> tuple[Opened, Draft]:
    """Return how a target is reached, and a message for it that is not in words yet; raises TargetError."""
    target_id = target_id_of(connection, target, person_id=person_id)
    columns = (Target.url_encrypted, Target.timezone, Target.settings, Target.role, Target.person_id)
    row = connection.execute(select(*columns).where(Target.id == target_id)).one()
    of_target = select(Subscription.name).where(Subscription.target_id == target_id).order_by(Subscription.id)
    settings = settings_from_json(row.settings)
    reader = Reader(zone(row.timezone), settings.locale, now)
    rules = tuple(connection.scalars(of_target)) or ((OPERATOR_RULE,) if row.role else ())
    otherwise = "a subscription that it does not have yet"
    foot = Foot(rules, target, settings.unsubscribe, otherwise, is_owners=person_id == OWNER_ID)
    # An invented event has no number, and its own word for what the game is.
    holdings = load_holdings(connection, [(row.person_id, event.id) for event in events if event.id])
    shown = [replace(event, library=holdings.get((row.person_id, event.id), event.library)) for event in events]
    return open_url(vault.decrypt(row.url_encrypted)), Draft(shown, False, reader, foot, folder)


def preview(opened: Opened, draft: Draft) -> Preview:
    """Return a message in words, as it would be sent."""
    message, problem = compose(opened, draft)
    kind = draft.events[0].kind if len(draft.events) == 1 else SEVERAL
    parts = (TITLE, SUFFIXES[opened.form])
    named = draft.foot.target if draft.foot.is_owners else None
    used = [find(draft.templates, named, kind, part) for part in parts] if draft.templates else []
    return Preview(
        title=message.title,
        format=opened.form.value,
        body=message.body(opened.form),
        payload=message.payload,
        templates=() if problem else tuple(str(file.path) for file in used if file),
        problem=problem,
    )


def check_templates(folder: Path, targets: Sequence[str], now: datetime) -> Iterator[Checked]:
    """Try every template in a folder on an event of each kind that it is for, and yield what is wrong with it.

    So is what is wrong with the name of a file that is not called as templates are.
    """
    for path in template_paths(folder):
        kind, part = kind_and_part(path)
        try:
            file = template_of(path, folder)
            target, problem = file.target, _problem(file, targets, now)
        except TemplateError as error:
            target, problem = None, str(error)
        yield Checked(str(path.relative_to(folder)), target=target, kind=kind, part=part, problem=problem)


def _problem(file: TemplateFile, targets: Sequence[str], now: datetime) -> str | None:
    if file.target is not None and file.target not in targets:
        return f"there is no target {file.target}"
    form = next((form for form, suffix in SUFFIXES.items() if suffix == file.part), Format.TEXT)
    reader, foot = Reader(zone("UTC"), now=now), Foot(("loot for what I play",), file.target or "phone")
    for events in _events_for(file.kind, now):
        parts = Parts(events, _MAIL if form is Format.HTML else Limits(), reader, foot, again=False)
        try:
            write(file, render_message(events, parts.limits, reader=reader, foot=foot), form, parts)
        except TemplateError as error:
            return f"{error} (with {events[0].kind if len(events) == 1 else SEVERAL})"
    return None


def _events_for(kind: str, now: datetime) -> Iterator[list[EventText]]:
    if kind == SEVERAL:
        yield [sample_event(each, now) for each in EventKind]
        return
    family = kind.removesuffix(f".{ANY}")
    for each in EventKind:
        if kind in {ANY, each} or family == each.family:
            yield [sample_event(each, now)]
