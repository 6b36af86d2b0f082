"""Requests that change something: on a condition, once, and written down in the audit log."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from models.errors import UnknownThing
from models.locks import AT_ONCE, hold, is_held
from pipeline.people.store.audit import note_change
from pipeline.runtime.runtime import Runtime
from pipeline.web.api.answering import answer_of, with_etag
from pipeline.web.api.calls import Call
from pipeline.web.api.conditions import Condition, condition_of, showing
from pipeline.web.api.entering import Entrance, Passage
from pipeline.web.api.messages import Answer, Asked
from pipeline.web.api.problems import RequestProblem
from pipeline.web.api.repeats import Repeat, Repeats, is_under_way, repeat_of
from pipeline.web.api.routing import Operation

# How long a change waits for another one of the same thing.
PATIENCE = timedelta(seconds=10)
# Somebody else committed to the same rows since our snapshot: with a new one the ETag is compared again.
_SERIALIZATION_FAILURE = "40001"
_ATTEMPTS = 4


class Changes:
    """Has things changed; `operations` are all that there are."""

    def __init__(self, runtime: Runtime, entrance: Entrance, operations: tuple[Operation, ...]) -> None:
        self._runtime = runtime
        self._entrance = entrance
        self._repeats = Repeats(lambda: runtime.vault)
        self._showing = showing(operations)

    def change(self, passage: Passage) -> Answer:
        """Answer a request with what it changed, all of it in one transaction."""
        condition = condition_of(self._showing.get(passage.operation.name), passage.asked)
        if condition is None or condition.is_any:
            return self._change(passage, condition)
        with self._alone(condition, passage):
            for _ in range(_ATTEMPTS - 1):
                try:
                    return self._change(passage, condition)
                except OperationalError as error:
                    if getattr(error.orig, "sqlstate", None) != _SERIALIZATION_FAILURE:
                        raise
            return self._change(passage, condition)

    def work(self, passage: Passage) -> Answer:
        """Answer a request that asks a service or works on files, which opens its own transactions."""
        operation, asked = passage.operation, passage.asked
        condition = condition_of(self._showing.get(operation.name), asked)
        call = self._entrance.working(passage)
        arguments = passage.bound()
        repeat = self._repeat_of(passage, call)
        with self._alone(condition, passage), self._once(repeat):
            if condition is not None:
                with self._entrance.reading(passage) as reading:
                    condition.check(reading, asked)
            if repeat is not None and (before := self._begin(repeat, passage)) is not None:
                return before
            try:
                answer = answer_of(operation, operation.handler(call, **arguments), asked)
            except Exception:
                if repeat is not None:
                    with self._runtime.engine.begin() as connection:
                        self._repeats.forget(connection, repeat)
                raise
            if condition is not None and operation.method != "DELETE":
                with self._entrance.reading(passage) as reading:
                    answer = _as_it_is_now(answer, condition, reading, asked)
            with self._runtime.engine.begin() as connection:
                self._settle(connection, passage, call, answer, repeat)
        return answer

    def _change(self, passage: Passage, condition: Condition | None) -> Answer:
        operation, asked = passage.operation, passage.asked
        with self._entrance.changing(passage, repeatable=condition is not None and not condition.is_any) as call:
            arguments = passage.bound()
            if condition is not None:
                condition.check(call, asked)
            if (repeat := self._repeat_of(passage, call)) is not None:
                if is_held(call.connection, repeat.lock):
                    raise is_under_way()
                if (before := self._repeats.begin(call.connection, repeat, passage.now)) is not None:
                    return before
            answer = answer_of(operation, operation.handler(call, **arguments), asked)
            if condition is not None and operation.method != "DELETE":
                answer = _as_it_is_now(answer, condition, call, asked)
            self._settle(call.connection, passage, call, answer, repeat)
        return answer

    def _settle(
        self, connection: Connection, passage: Passage, call: Call, answer: Answer, repeat: Repeat | None
    ) -> None:
        if call.caller is not None:
            note_change(
                connection,
                person_id=call.caller.person_id,
                key=call.caller.key,
                method=passage.operation.method,
                path=passage.asked.target,
                operation=passage.operation.name,
                status=answer.status,
                now=passage.now,
            )
        if repeat is not None:
            self._repeats.settle(connection, repeat, answer)

    def _repeat_of(self, passage: Passage, call: Call) -> Repeat | None:
        if passage.sent is None or call.caller is None:
            return None
        return repeat_of(passage.asked, call.caller, passage.sent.key)

    def _begin(self, repeat: Repeat, passage: Passage) -> Answer | None:
        with self._runtime.engine.begin() as connection:
            return self._repeats.begin(connection, repeat, passage.now)

    @contextmanager
    def _alone(self, condition: Condition | None, passage: Passage) -> Iterator[None]:
        """Keep other requests from changing the same thing for the length of a `with` block."""
        if condition is None or condition.is_any:
            yield
            return
        with hold(self._runtime.engine, condition.lock(passage.asked), PATIENCE) as is_alone:
            if not is_alone:
                raise RequestProblem("away", "other requests are changing it; come again")
            yield

    @contextmanager
    def _once(self, repeat: Repeat | None) -> Iterator[None]:
        """Keep the same request from being answered a second time meanwhile."""
        if repeat is None:
            yield
            return
        with hold(self._runtime.engine, repeat.lock, AT_ONCE) as is_first:
            if not is_first:
                raise is_under_way()
            yield


def _as_it_is_now(answer: Answer, condition: Condition, call: Call, asked: Asked) -> Answer:
    """Return an answer with the ETag that the thing has now; without one where it is at another path since."""
    try:
        return with_etag(answer, condition.etag(call, asked))
    except UnknownThing:
        return answer
