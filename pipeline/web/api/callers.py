"""Who asks: the key of a request, how often it may ask, whose it is and what it may do."""

from collections.abc import MutableMapping
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from pipeline.people.keys import digest_of, read_id
from pipeline.people.records import ROLES
from pipeline.people.store.holders import HolderOfKey, find_holder_of
from pipeline.web.api.calls import Caller
from pipeline.web.api.messages import Asked
from pipeline.web.api.problems import RequestProblem
from pipeline.web.api.rates import Rates, network_of
from pipeline.web.api.routing import Operation

_BEARER = "bearer "
_RANK = {role: rank for rank, role in enumerate(ROLES)}


class SentKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that is whole, as a request sent it; `name` stands for it where it must not stand itself."""

    key: str
    public_id: str
    name: str

    def __repr__(self) -> str:
        return f"SentKey({self.public_id!r})"


class Callers:
    """Lets in who has a valid key that may do what it asks for."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates

    def read_key(self, asked: Asked, headers: MutableMapping[str, str]) -> SentKey:
        """Return the key of a request and count it, before anything is looked up; `headers` are those of its answer.

        Raises `RequestProblem` for a request without a whole key, and for one too many.
        """
        written = asked.headers.get("authorization", "")
        if written[: len(_BEARER)].lower() != _BEARER:
            raise _no_key("send a key: Authorization: Bearer lw_…")
        key = written[len(_BEARER) :].strip()
        if (public_id := read_id(key)) is None:
            self._rates.note_wrong("", asked.client)
            raise _wrong_key()
        # Of the whole key: who only knows its id must not use up what it may ask.
        name = digest_of(key).hex()[:24]
        self._rates.check_address(name, asked.client)
        headers.update(self._rates.draw(name))
        return SentKey(key=key, public_id=public_id, name=name)

    def count_unknown(self, asked: Asked, headers: MutableMapping[str, str]) -> None:
        """Count a request for what is open to everybody, by the address that it comes from."""
        headers.update(self._rates.draw(network_of(asked.client), is_key=False))

    def find(
        self, connection: Connection, sent: SentKey, operation: Operation, asked: Asked, now: datetime
    ) -> tuple[Caller, HolderOfKey]:
        """Return who asks.

        Raises `RequestProblem` for a key that is not valid, and for one that may not do what is asked for.
        """
        holder = find_holder_of(connection, sent.public_id, sent.key, now)
        if holder is None:
            self._rates.note_wrong(sent.name, asked.client)
            raise _wrong_key()
        self._rates.remember(sent.name, holder.requests_per_minute)
        if operation.scope not in holder.scopes:
            raise RequestProblem("not-allowed", f"this key has not the scope {operation.scope}")
        if _RANK[holder.role] < _RANK[operation.role]:
            raise RequestProblem("not-allowed", f"this is for the role {operation.role}")
        caller = Caller(
            person_id=holder.person_id,
            role=holder.role,
            scopes=holder.scopes,
            key_id=holder.key_id,
            key=holder.public_id,
        )
        return caller, holder


def _wrong_key() -> RequestProblem:
    return _no_key("this key is not valid: it is mistyped, expired or revoked")


def _no_key(detail: str) -> RequestProblem:
    return RequestProblem("no-key", detail, headers={"WWW-Authenticate": 'Bearer realm="lootwire"'})
