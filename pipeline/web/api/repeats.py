"""`Idempotency-Key`: a POST that is sent again is answered as it was, and done once.

What a `Changing` call does is committed together with what it is answered, so there is no moment between. A `Working`
call is written down before it begins and settled after; one that was cut short in between is neither repeated nor
said to be done. Answers are kept encrypted with the key beside the database, since some hold a key or an address that
nobody can show again; all of them, so that no route has to remember that its answer is secret.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from models.locks import LockKey, lock_key
from models.vault import Vault
from pipeline.people.store import repeats
from pipeline.web.api.calls import Caller
from pipeline.web.api.messages import Answer, Asked
from pipeline.web.api.problems import FieldProblem, InvalidRequest, RequestProblem

HEADER = "idempotency-key"
REPLAYED = "Idempotent-Replayed"
# A string as RFC 9651 writes it, or its characters alone, as most clients do.
_WRITTEN = re.compile(r'"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x5b\x5d-\x7e]{1,255})')


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """A request with an Idempotency-Key: the caller's key, the name, and what the request is."""

    key_id: int
    name: str
    digest: bytes

    @property
    def lock(self) -> LockKey:
        """What whoever answers this request holds meanwhile."""
        return lock_key(f"idempotency {self.key_id} {self.name}")


def repeat_of(asked: Asked, caller: Caller, secret: str) -> Repeat | None:
    """Return the Idempotency-Key of a POST, None without one; `secret` is the caller's key, which nobody else has.

    With it the digest of a body that holds an address tells nobody what it may have been. Raises `InvalidRequest`.
    """
    if asked.method != "POST" or (written := asked.headers.get(HEADER)) is None:
        return None
    if (match := _WRITTEN.fullmatch(written)) is None:
        detail = "must be a text of at most 255 letters, digits and signs of ASCII"
        raise InvalidRequest([FieldProblem(pointer="/headers/Idempotency-Key", detail=detail)])
    said = msgspec.json.encode([secret, asked.target, asked.query])
    digest = hashlib.sha256(said + b"\0" + asked.body).digest()
    return Repeat(key_id=caller.key_id, name=match[1] or match[2], digest=digest)


class Repeats:
    """Remembers what requests were answered, encrypted with a vault."""

    def __init__(self, open_vault: Callable[[], Vault]) -> None:
        self._open_vault = open_vault

    def begin(self, connection: Connection, repeat: Repeat, now: datetime) -> Answer | None:
        """Return what a request was answered before; None where it is the first, which is then under way.

        The lock of the request is held. Raises `RequestProblem` for another request with the same name, and for one
        that was cut short.
        """
        if (kept := repeats.find_answer(connection, repeat.key_id, repeat.name, now)) is None:
            repeats.reserve_answer(connection, repeat.key_id, repeat.name, repeat.digest, now)
            return None
        if kept.digest != repeat.digest:
            raise RequestProblem("conflict", "this Idempotency-Key came with another request; make a new one")
        if kept.status is None:
            raise RequestProblem(
                "conflict",
                "the first request with this Idempotency-Key was cut short while it was answered, and what it did is "
                "not known: look, and send it again with a new one if need be",
            )
        body = b"" if kept.body is None else self._open_vault().decrypt(kept.body).encode()
        return Answer(status=kept.status, body=body, headers={**kept.headers, REPLAYED: "true"})

    def settle(self, connection: Connection, repeat: Repeat, answer: Answer) -> None:
        """Keep what a request was answered; belongs in the transaction of what it did."""
        body = self._open_vault().encrypt(answer.body.decode()) if answer.body else None
        repeats.settle_answer(
            connection, repeat.key_id, repeat.name, status=answer.status, headers=answer.headers, body=body
        )

    def forget(self, connection: Connection, repeat: Repeat) -> None:
        """Forget a request that came to nothing."""
        repeats.forget_answer(connection, repeat.key_id, repeat.name)


def is_under_way() -> RequestProblem:
    """Return the problem of a request that came again before the first was answered."""
    return RequestProblem(
        "conflict",
        "the first request with this Idempotency-Key is still being answered",
        headers={"Retry-After": "1"},
    )
