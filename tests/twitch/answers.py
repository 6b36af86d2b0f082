"""A request to Helix as its endpoints see it, and what is common to their answers."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.datastructures import QueryParams

from tests.twitch.tokens import Token

T = TypeVar("T")
# A status and what is written as JSON; None is an empty body.
Answer = tuple[int, Any]
MOST = 100


def error_body(status: int, message: str) -> dict[str, Any]:
    """An error as Helix says it; those of the sign-in service carry no `error`."""
    return {"error": HTTPStatus(status).phrase, "status": status, "message": message}


class Refused(Exception):
    """The request is answered with this error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def missing(name: str) -> Refused:
    return Refused(400, f'Missing required parameter "{name}"')


def malformed(name: str, why: str) -> Refused:
    return Refused(400, f'The parameter "{name}" was malformed: {why}')


@dataclass(frozen=True)
class Call:
    """One authorised request."""

    query: QueryParams
    body: bytes
    token: Token

    def values(self, *names: str, most: int = MOST) -> list[str]:
        """Return the values of these parameters together; raises `Refused` above the limit of one request."""
        values = [value for name in names for value in self.query.getlist(name)]
        if len(values) > most:
            raise malformed(names[0], f"the value must be less than or equal to {most}")
        return values

    def required(self, name: str) -> str:
        value = self.query.get(name)
        if not value:
            raise missing(name)
        return value

    def json(self) -> dict[str, Any]:
        try:
            decoded = json.loads(self.body)
        except ValueError:
            decoded = None
        if not isinstance(decoded, dict):
            raise Refused(400, "The request body is not valid JSON")
        return decoded

    def needs_app_token(self) -> None:
        if self.token.user_id is not None:
            raise Refused(401, "auth must use app access token")


def page(
    rows: Sequence[T], call: Call, *, first: int | None = None, repeated: int = 0
) -> tuple[list[T], dict[str, str]]:
    """Cut one page out of rows; the second part is `pagination`, which is empty on the last page.

    `first` overrides the parameter of that name, for endpoints that have none; `repeated` rows come again on the next.
    """
    size = first or _first(call)
    begin = _offset(call)
    end = begin + size
    if end >= len(rows):
        return list(rows[begin:]), {}
    cursor = json.dumps({"b": None, "a": {"Offset": max(end - repeated, begin + 1)}}, separators=(",", ":"))
    return list(rows[begin:end]), {"cursor": base64.b64encode(cursor.encode()).decode()}


def _first(call: Call) -> int:
    text = call.query.get("first", "20")
    if not text.isdecimal():
        raise malformed("first", "the value must be a number")
    if not 1 <= int(text) <= MOST:
        raise malformed("first", f"the value must be less than or equal to {MOST}")
    return int(text)


def _offset(call: Call) -> int:
    cursor = call.query.get("after")
    if not cursor:
        return 0
    try:
        return int(json.loads(base64.b64decode(cursor, validate=True))["a"]["Offset"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise malformed("after", "the cursor is not valid") from error
