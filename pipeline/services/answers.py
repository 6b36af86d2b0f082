"""What answers of services have in common that a person's own key asks: statuses that mean to wait, unknown shapes."""

from datetime import UTC, datetime, timedelta

import msgspec

from pipeline.errors import SourceChanged, SourceUnavailable
from pipeline.fetch.http import Reply, parse_retry_after
from pipeline.fetch.shapes import UNREADABLE, Shape

TOO_MANY = 429
# Of a service that asks us to wait and does not say how long.
WAIT = timedelta(minutes=1)


def raise_if_too_many(reply: Reply, service: str) -> None:
    """Raise `SourceUnavailable` where the service asks us to wait (429)."""
    if reply.status == TOO_MANY:
        wait = parse_retry_after(reply.headers.get("Retry-After"), datetime.now(UTC))
        raise SourceUnavailable(f"{service} asks us to wait (429)", status=TOO_MANY, retry_after=wait or WAIT)


def decoded(decoder: msgspec.json.Decoder[Shape], reply: Reply, service: str, what: str) -> Shape:
    """Return an answer as its shape; raises `SourceChanged`, with what came, where it has another one."""
    if reply.status != 200:
        raise SourceChanged(
            f"{service} answered {reply.status} to the question for {what}", payload=reply.body, status=reply.status
        )
    try:
        return decoder.decode(reply.body)
    except UNREADABLE as error:
        raise SourceChanged(f"{service}: {what} cannot be read ({error})", payload=reply.body) from error
