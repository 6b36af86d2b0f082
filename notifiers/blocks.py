"""Makes blocks of events for Slack. Pure.

Slack's text has no escape for its emphasis, so what came from outside stands in elements that Slack reads no markup in:
https://docs.slack.dev/reference/block-kit/blocks/rich-text-block.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from notifiers.escape import cut
from notifiers.reader import Reader
from notifiers.view import EntryView, EventText, EventView, Extent, Fact, rest_of, view_event, view_groups

# https://docs.slack.dev/reference/block-kit/blocks/header-block
HEADER_LENGTH = 150
CONTEXT_LENGTH = 2000
SHOWN = Extent(12, description=True)
LISTED = 40


def slack_payload(
    events: Sequence[EventText], title: str, reader: Reader, *, because: str | None, again: str | None
) -> dict[str, Any]:
    """Return what Slack gets of a message: an attachment of blocks, and what stands for it in a notification."""
    parts = _of_event(events[0], reader) if len(events) == 1 else _of_events(events, reader)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(cut(title, HEADER_LENGTH))}]
    blocks += [_context(again)] if again else []
    blocks += [{"type": "rich_text", "elements": list(parts)}]
    blocks += [_context(because)] if because else []
    # Slack reads its own markup in this one.
    fallback = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"fallback": fallback, "blocks": blocks}


def _of_event(event: EventText, reader: Reader) -> Iterator[dict[str, Any]]:
    view = view_event(event, SHOWN, reader)
    yield _section(_text(view.lead, italic=True))
    if view.facts:
        yield _section(*_facts(view))
    if view.rewards:
        yield from _list(
            "Rewards", [f"{r.name} ({r.note})" if r.note else r.name for r in view.rewards], view.more_rewards
        )
    for section in view.with_rewards_apart().sections:
        yield from _list(section.label, section.items, section.more)
    if view.watch:
        yield _section(_text("\nWhere to watch", bold=True))
        yield _bullets([_section(_link(link)) for link in view.watch])
        yield from [_section(_text(f"and {view.more_to_watch} more"))] if view.more_to_watch > 0 else []
    if view.description:
        yield _section(_text(f"\n{view.description}"))
    for link in view.links:
        yield _section(_text("\n"), _link(link))


def _of_events(events: Sequence[EventText], reader: Reader) -> Iterator[dict[str, Any]]:
    for group in view_groups(events, reader, LISTED):
        if group.heading:
            yield _section(_text(f"\n{group.heading}", bold=True))
        yield _bullets([_entry(entry) for entry in group.entries])
    if (more := len(events) - LISTED) > 0:
        yield _section(_text(f"and {more} more{rest_of(events, LISTED)}"))


def _entry(entry: EntryView) -> dict[str, Any]:
    title = (
        {"type": "link", "url": entry.url, "text": entry.title or "…"} if entry.url else _text(entry.title, bold=True)
    )
    return _section(title, *([_text(f" – {entry.note}")] if entry.note else []))


def _facts(view: EventView) -> Iterator[dict[str, Any]]:
    for number, fact in enumerate(view.facts):
        break_before = "\n" if number else ""
        yield _text(f"{break_before}{fact.label}: ")
        yield _text(fact.value, bold=True)


def _list(label: str, items: Sequence[str], more: int) -> Iterator[dict[str, Any]]:
    yield _section(_text(f"\n{label}", bold=True))
    yield _bullets([_section(_text(item)) for item in [*items, *([f"and {more} more"] if more else [])]])


def _bullets(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "rich_text_list", "style": "bullet", "elements": lines}


def _section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": elements}


def _link(link: Fact) -> dict[str, Any]:
    return {"type": "link", "url": link.value, "text": link.label}


def _text(text: str, **style: bool) -> dict[str, Any]:
    # An empty one is refused.
    return {"type": "text", "text": text or "…"} | ({"style": style} if style else {})


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [_plain(cut(text, CONTEXT_LENGTH))]}
