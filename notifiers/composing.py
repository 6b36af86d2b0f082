"""Composes a message for a target: the house's, and what the operator's own templates say in its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from notifiers.apprise_urls import Opened
from notifiers.overrides import Parts, overridden
from notifiers.reader import Reader
from notifiers.render import Foot, Message, render_message
from notifiers.view import EventText


@dataclass(frozen=True)
class Draft:
    """A message before it is put into words: about what, for whom, and whether it may have come before.

    `templates` is the folder of the operator's own words, where there may be some.
    """

    events: Sequence[EventText]
    again: bool
    reader: Reader
    foot: Foot
    templates: Path | None = None


def compose(opened: Opened, draft: Draft) -> tuple[Message, str | None]:
    """Return the message for a target, and what is wrong with a template where the house's words had to do."""
    message = render_message(
        draft.events, opened.limits, again=draft.again, reader=draft.reader, foot=draft.foot, forms=(opened.form,)
    )
    if draft.templates is None or not draft.templates.is_dir():
        return message, None
    parts = Parts(draft.events, opened.limits, draft.reader, draft.foot, draft.again)
    return overridden(message, opened.form, parts, draft.templates)
