"""Templates: the owner's own words for messages, read from files."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select

from models import Target
from models.errors import UsageError
from models.events import EventKind
from models.names import nearest
from models.people import OWNER_ID
from notifiers import previews
from notifiers.overrides import SEVERAL, find_all
from notifiers.previews import check_templates, draft_for, load_event, newest_event
from pipeline.runtime.runtime import Runtime


class TemplateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A file with words for messages: for which target (null for all), kind of event and part of a message it is."""

    path: str
    target: str | None
    kind: str
    part: str


class CheckedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A template, and what is wrong with it, or null."""

    file: str
    target: str | None
    kind: str
    part: str
    problem: str | None


class PreviewAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A message as a target would get it; `templates` are your own that it is made of.

    `payload` is what the service gets beside the text: embeds, blocks, the events. `problem` says why a template was
    not used.
    """

    title: str
    format: str
    body: str
    payload: dict[str, Any] | None
    templates: list[str]
    problem: str | None


def list_templates(runtime: Runtime) -> tuple[list[TemplateAnswer], list[str]]:
    """Return the templates by their names, and what is wrong with each file that is called otherwise."""
    files, strays = find_all(runtime.settings.templates)
    answers = [TemplateAnswer(**(vars(file) | {"path": str(file.path)})) for file in files]
    return answers, strays


def try_templates(runtime: Runtime, now: datetime) -> list[CheckedAnswer]:
    """Try each template on an event of each kind that it is for."""
    with runtime.engine.connect() as connection:
        of_owner = (Target.removed_at.is_(None), Target.person_id == OWNER_ID)
        names = list(connection.scalars(select(Target.name).where(*of_owner)))
    return [CheckedAnswer(**vars(each)) for each in check_templates(runtime.settings.templates, names, now)]


def preview(
    runtime: Runtime,
    now: datetime,
    kind: str,
    target: str,
    events: Sequence[int] = (),
    *,
    person_id: int = OWNER_ID,
) -> PreviewAnswer:
    """Return a message as a target would get it, and send nothing.

    It is about these events, by their numbers, or the newest of the kind; `several` is for a message about several.
    Raises `UsageError` for a kind that there is not, or an event of another kind.
    """
    kind = known_kind(kind)
    with runtime.engine.connect() as connection:
        kinds = list(EventKind) if kind == SEVERAL else [EventKind(kind)]
        shown = [load_event(connection, number, kind) for number in events]
        shown = shown or [newest_event(connection, each, now) for each in kinds]
        opened, draft = draft_for(
            connection, runtime.vault, target, shown, now, runtime.settings.templates, person_id=person_id
        )
    message = previews.preview(opened, draft)
    fields = vars(message) | {"templates": [*message.templates]}
    return PreviewAnswer(**(fields | {"payload": None if message.payload is None else dict(message.payload)}))


def known_kind(kind: str) -> str:
    """Return a kind that messages are of; raises `UsageError` with the nearest for anything else."""
    known = [*EventKind, SEVERAL]
    if kind not in known:
        near = nearest(kind, known)
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        raise UsageError(f"there is no kind {kind!r}{meant}")
    return kind
