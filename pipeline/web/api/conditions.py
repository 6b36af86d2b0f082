"""`If-Match`: a change of a thing that can be read says which version of it is changed, so that none is lost.

Every PUT, PATCH and DELETE at a path that has a GET needs one. Two programs that read the same version cannot both
change it: those that come through the API wait for one another, and where a command or the worker changes the same rows
meanwhile, the database fails the later transaction, which compares again.
"""

from collections.abc import Mapping, Sequence

import msgspec

from models.locks import LockKey, lock_key
from pipeline.web.api.answering import answer_of, version_etag
from pipeline.web.api.binding import bind
from pipeline.web.api.calls import Call, Reading
from pipeline.web.api.etags import ANY, etag_of, is_listed
from pipeline.web.api.messages import Asked
from pipeline.web.api.problems import RequestProblem
from pipeline.web.api.routing import Operation

CONDITIONAL = frozenset({"PUT", "PATCH", "DELETE"})


def showing(operations: Sequence[Operation]) -> Mapping[str, Operation]:
    """Return by the names of operations that change a thing those that show it, where there are any.

    One that asks a service to show it has no version that could be compared in a transaction.
    """
    reads = {each.path: each for each in operations if each.method == "GET" and issubclass(each.call, Reading)}
    changes = [each for each in operations if each.method in CONDITIONAL]
    return {each.name: reads[each.path] for each in changes if each.path in reads}


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """Which version of a thing a request changes, and the operation that shows it."""

    header: str
    operation: Operation

    @property
    def is_any(self) -> bool:
        """Whether any version may be changed."""
        return self.header.strip() == ANY

    def lock(self, asked: Asked) -> LockKey:
        """What whoever compares and changes this thing holds meanwhile."""
        return lock_key(f"change {asked.target}")

    def check(self, call: Call, asked: Asked) -> None:
        """Raise `RequestProblem` where the thing has another ETag than the request names."""
        if not self.is_any and not is_listed(self.etag(call, asked), self.header):
            raise RequestProblem("changed", "it has another ETag than the one in If-Match")

    def etag(self, call: Call, asked: Asked) -> str:
        """Return the ETag that showing the thing would give; raises `UnknownThing` where it is not there."""
        return etag_of_thing(self.operation, call, asked)


def condition_of(operation: Operation | None, asked: Asked) -> Condition | None:
    """Return the condition of a change, None for what needs none; raises `RequestProblem` where it is missing.

    `operation` is the one that shows what is changed.
    """
    if operation is None:
        return None
    if (header := asked.headers.get("if-match")) is None:
        raise RequestProblem("no-condition", "send the ETag of what you change in If-Match, or *")
    return Condition(header=header, operation=operation)


def etag_of_thing(operation: Operation, call: Call, asked: Asked) -> str:
    """Return the ETag that an operation would give for the path of a request, within the transaction of a call."""
    reading = call
    if not isinstance(call, Reading):
        reading = Reading(
            connection=call.connection,  # type: ignore[attr-defined] # a `Changing` call
            runtime=call.runtime,
            now=call.now,
            caller=call.caller,
        )
    arguments = bind(operation, asked.path, (), b"")
    plain = msgspec.structs.replace(asked, query=())
    if (etag := version_etag(operation, reading, arguments, plain)) is not None:
        return etag
    return etag_of(answer_of(operation, operation.handler(reading, **arguments), plain).body)
