"""Has Apprise carry what it has no words for: events to a web hook, embeds to Discord, blocks to Slack.

Apprise makes the rest of the request, as the options of the address say. A field of the address's own (`:event=x`)
takes the place of ours.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from notifiers.render import Shape
from notifiers.webhook import hook_fields


def carry(service: Any, shape: Shape, payload: Mapping[str, Any] | None) -> None:
    """Add a message's payload to what a service, opened for this message alone, will send."""
    if shape is Shape.EVENTS:
        # A test message is about no event.
        _add_fields(service, payload or hook_fields((), ""))
    elif shape is Shape.DISCORD:
        service._send = partial(_send_embeds, service, service._send, payload)  # noqa: SLF001  its one way out
    elif shape is Shape.SLACK and payload is not None:
        service._send = partial(_send_blocks, service._send, payload)  # noqa: SLF001  likewise


def _add_fields(service: Any, payload: Mapping[str, Any]) -> None:
    is_json = service.protocol == "json"
    # A form and Apprise's XML know nothing but text.
    fields = {
        name: value if is_json or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in payload.items()
    }
    service.payload_extras = {**fields, **service.payload_extras}
    # As Apprise does where an XML document has fields that its schema does not know.
    service.xsd_url = None


def _send_embeds(
    service: Any, send: Callable[..., bool], ours: Mapping[str, Any] | None, payload: dict[str, Any], **options: Any
) -> bool:
    """Send embeds in the place of text, or the text where there are none; either pings whom the address names alone."""
    pings = service.ping_payload(" ".join(service.ping)) if service.ping else {}
    mentions = pings.get("allow_mentions", {})
    # Discord's word for all of `@everyone` and `@here`.
    everyone = ["everyone"] if {"everyone", "here"} & set(mentions.get("parse", ())) else []
    allowed = {"parse": everyone, "users": mentions.get("users", []), "roles": mentions.get("roles", [])}
    # Apprise's name for it is none of Discord's.
    body = {name: value for name, value in payload.items() if name != "allow_mentions"}
    if ours is not None:
        content = "\n".join(filter(None, [pings.get("content"), ours.get("content")]))
        body = {**body, **ours, "content": content}
        body = body if content else {name: value for name, value in body.items() if name != "content"}
    return send({**body, "allowed_mentions": allowed}, **options)


def _send_blocks(
    send: Callable[..., Any], ours: Mapping[str, Any], url: str, payload: dict[str, Any] | None, **options: Any
) -> Any:
    # A workflow takes nothing but its text; a bot's uploads and look-ups go the same way.
    if payload and payload.get("attachments"):
        payload = {**payload, "attachments": [{"color": payload["attachments"][0].get("color"), **ours}]}
    return send(url, payload, **options)
