"""What web hooks get beside the title and the message: the events themselves, in a schema with a version. Pure.

Texts are as harmless as in every message, and addresses are http or https: whoever passes them on to a chat must not
ping everybody with the title of a campaign.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from models.details import DETAILS, detail_to_json
from models.words.addresses import message_address
from models.words.holdings import Holding, in_words
from notifiers.escape import clean, cut
from notifiers.reader import PLAIN
from notifiers.view import EventText

# It changes where a field goes or means something else; a field that is added changes nothing.
SCHEMA = "lootwire.webhook/1"
_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
TEXT_LENGTH = 4000
# To a receiver that refused a body for its length: as in every message that is shortened to a quarter.
SHORT_TITLE_LENGTH = 80

Moment = Annotated[datetime, Meta(tz=True)]


class EventFields(msgspec.Struct, frozen=True, kw_only=True):
    """What happened. `key` is the same wherever and however often the event is sent; times are UTC."""

    id: Annotated[int, Meta(description="Its number here, as `lootwire events` and `why-not` take it.")]
    kind: Annotated[str, Meta(description="Such as campaign.added; the part before the dot is its family.")]
    key: Annotated[str, Meta(description="Stands for the event for ever: what has been seen needs no second look.")]
    title: Annotated[str, Meta(description="Its headline, with times in UTC.")]
    service: str | None
    url: Annotated[str | None, Meta(description="Where it leads, always http or https.")]
    occurred_at: Moment
    recorded_at: Moment | None
    silent: Annotated[bool, Meta(description="Whether it was recorded without telling anybody of it.")]


class SubjectFields(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What it is about: games and organizations by name, campaigns by the service's id, channels by login."""

    service: str | None = None
    game: str | None = None
    organization: str | None = None
    campaign: str | None = None
    reward_campaign: str | None = None
    channel: str | None = None


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why this target got it: the subscriptions that asked for it, by their names."""

    target: str
    subscriptions: tuple[str, ...]


class LibraryFields(Holding, frozen=True, kw_only=True, omit_defaults=True):
    """What the game is to this target's person, as the message was sent; what is empty is left out.

    `words` are of owned, playing, backlog, wished, finished, abandoned and rom, `stores` where it is owned, `seconds`
    how long it was played; `finished` is a day, a month, a quarter or a year: `2022`, `1999-Q3`.
    """

    text: Annotated[str, Meta(description="The same in words, with months in figures.")] = ""


class HookEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event with everything that is known of it."""

    event: EventFields
    subjects: SubjectFields
    detail: Annotated[dict[str, Any], Meta(description="What events of its family show; without what is empty.")]
    reason: Reason
    library: Annotated[
        LibraryFields | None, Meta(description="What the game is to the person who is told; left out where nothing.")
    ] = None


class HookBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of a `json://` web hook. Fields that are not listed here may be added at any time."""

    version: Annotated[str, Meta(description="Apprise's, of the five fields that it writes.")]
    title: str
    message: str
    attachments: list[Any]
    type: str
    schema: Literal["lootwire.webhook/1"]
    events: Annotated[
        tuple[HookEvent, ...], Meta(description="Every event of the message, oldest first; none in a test message.")
    ]
    event: Annotated[EventFields | None, Meta(description="As in `events`, where the message is about one event.")] = (
        None
    )
    subjects: SubjectFields | None = None
    detail: dict[str, Any] | None = None
    reason: Reason | None = None
    library: LibraryFields | None = None


def hook_fields(events: Sequence[EventText], target: str, *, with_detail: bool = True) -> dict[str, Any]:
    """Return the fields that a web hook gets beside Apprise's own, as JSON builtins.

    Without details, and with short titles, it is what a receiver gets that refused a body for its length.
    """
    shown = events if with_detail else [replace(event, title=cut(event.title, SHORT_TITLE_LENGTH)) for event in events]
    items = [_harmless(msgspec.to_builtins(_item(event, target, with_detail=with_detail))) for event in shown]
    alone = items[0] if len(items) == 1 else {}
    return {"schema": SCHEMA, "events": items, **alone}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the body of a `json://` web hook."""
    (body,), components = msgspec.json.schema_components([HookBody], ref_template="#/$defs/{name}")
    details, detail_components = msgspec.json.schema_components(DETAILS, ref_template="#/$defs/{name}")
    components["HookEvent"]["allOf"] = [
        {"if": _has_kind(f"^({'|'.join(detail.families)})\\."), "then": {"properties": {"detail": reference}}}
        for detail, reference in zip(DETAILS, details, strict=True)
    ]
    return {"$schema": _SCHEMA_DIALECT, "$id": SCHEMA, **body, "$defs": components | detail_components}


def _has_kind(pattern: str) -> dict[str, Any]:
    return {"properties": {"event": {"properties": {"kind": {"pattern": pattern}}}}}


def _item(event: EventText, target: str, *, with_detail: bool) -> HookEvent:
    fields = EventFields(
        id=event.id,
        kind=event.kind,
        key=event.key,
        title=event.title,
        service=event.service,
        url=event.detail.url,
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        silent=event.silent,
    )
    return HookEvent(
        event=fields,
        subjects=SubjectFields(**event.subjects),
        detail=detail_to_json(event.detail) if with_detail else {},
        reason=Reason(target=target, subscriptions=event.rules),
        library=_library(event.library) if event.library else None,
    )


def _library(holding: Holding) -> LibraryFields:
    return LibraryFields(text=in_words(holding, PLAIN.month), **msgspec.structs.asdict(holding))


def _harmless(value: Any, name: str = "") -> Any:
    """Return JSON whose texts are clean, and whose addresses lead to the web or are null."""
    match value:
        case str() if name.endswith("url"):
            return message_address(value)
        case str():
            return clean(value, TEXT_LENGTH)
        case Mapping():
            # The old and the new value of a field are what the field is.
            inner = {key: value["field"] if key in {"old", "new"} and "field" in value else key for key in value}
            return {clean(key, TEXT_LENGTH): _harmless(each, str(inner[key])) for key, each in value.items()}
        case list() | tuple():
            return [_harmless(each, name) for each in value]
        case _:
            return value
