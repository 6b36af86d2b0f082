"""The one way that each request takes: key, rate, scope, arguments, one transaction, and the bytes of the answer.

It is synchronous, and runs in a thread of its own; nothing of it knows Starlette.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec
from sqlalchemy.exc import DBAPIError

from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.web.api.answering import shown
from pipeline.web.api.callers import Callers
from pipeline.web.api.calls import Reading, Working
from pipeline.web.api.changing import Changes
from pipeline.web.api.entering import Entrance, Passage
from pipeline.web.api.messages import Answer, Asked
from pipeline.web.api.problems import CONTENT_TYPE, KINDS, Problem, RequestProblem, make_problem, problem_of
from pipeline.web.api.rates import Policy, Rates
from pipeline.web.api.routing import Operation

logger = logging.getLogger(__name__)


class Door:
    """Answers requests with a runtime.

    `page` is the address below which kinds of problems have their pages; `operations` are all that there are: what
    changes a thing looks at the operation which shows it.
    """

    def __init__(
        self,
        runtime: Runtime,
        page: str,
        operations: tuple[Operation, ...],
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        settings = runtime.settings
        policy = Policy(per_minute=settings.api_requests_per_minute, at_once=settings.api_burst)
        self._page = page
        self._clock = clock
        self._entrance = Entrance(runtime, Callers(Rates(runtime.redis_url, policy)))
        self._changes = Changes(runtime, self._entrance, operations)

    def refusal(self, operation: Operation, asked: Asked) -> Answer | None:
        """Return what is answered to one who may not ask this, whatever the body; None for one who may.

        It is asked before a file is read, of which some would fill the memory. Such a request is counted twice.
        """
        answer = self._carried_out(operation, asked, self._admitted)
        return answer if answer.body else None

    def answer(self, operation: Operation, asked: Asked) -> Answer:
        """Answer a request, whatever comes of it: never an error, and never a traceback to the client."""
        return self._carried_out(operation, asked, self._answered)

    def _carried_out(self, operation: Operation, asked: Asked, carry_out: Callable[[Passage], Answer]) -> Answer:
        passage = Passage(operation=operation, asked=asked, now=self._clock())
        try:
            self._entrance.count(passage)
            answer = carry_out(passage)
            self._entrance.leave(passage)
        except Exception as error:
            if (problem := problem_of(error, self._page)) is None:
                logger.exception("%s failed", operation.name)
                problem = make_problem("failed", "The log of Lootwire has the reason.", self._page)
            answer = _answer_of(problem, error.headers if isinstance(error, RequestProblem) else {})
        return msgspec.structs.replace(answer, headers={**answer.headers, **passage.headers})

    def _admitted(self, passage: Passage) -> Answer:
        self._entrance.working(passage)
        return Answer(status=204)

    def _answered(self, passage: Passage) -> Answer:
        """Answer a request, once more where the connection to the database was one of before its restart."""
        try:
            return self._answer(passage)
        except DBAPIError as error:
            if not error.connection_invalidated or not issubclass(passage.operation.call, Reading):
                raise
        return self._answer(passage)

    def _answer(self, passage: Passage) -> Answer:
        operation = passage.operation
        if issubclass(operation.call, Reading):
            with self._entrance.reading(passage) as call:
                return shown(passage, call)
        if not issubclass(operation.call, Working):
            return self._changes.change(passage)
        if operation.method == "GET":
            return shown(passage, self._entrance.working(passage))
        return self._changes.work(passage)


def _answer_of(problem: Problem, headers: Mapping[str, str]) -> Answer:
    common = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
    if problem.status == KINDS["away"].status:
        common["Retry-After"] = "5"
    return Answer(status=problem.status, body=msgspec.json.encode(problem), headers={**common, **headers})
