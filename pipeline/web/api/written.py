"""What the API has to read beside its routes: its document, a page of it, and a page for each kind of problem."""

import functools
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import msgspec

from pipeline.web.api.address import PREFIX
from pipeline.web.api.conditions import showing
from pipeline.web.api.messages import JSON, Answer
from pipeline.web.api.pages import document_page, policy, problem_page
from pipeline.web.api.problems import CONTENT_TYPE, KINDS, FieldProblem, make_problem
from pipeline.web.api.routes.all_routes import OPERATIONS
from pipeline.web.api.routing import Operation, describe

PROBLEMS = f"{PREFIX}/problems"
READ_ONLY = "GET, HEAD, OPTIONS"
_DOCUMENT = {"Content-Type": JSON, "Cache-Control": "no-cache"}


def document_of(operations: tuple[Operation, ...] = OPERATIONS) -> Mapping[str, Any]:
    """Return the OpenAPI document of operations."""
    description = "Everything that a command can do, for other programs."
    return describe(
        operations, showing(operations), title="Lootwire", version=version("lootwire"), description=description
    )


class Written:
    """What there is to read beside the routes of these operations, made when it is first asked for."""

    def __init__(self, operations: tuple[Operation, ...]) -> None:
        self._operations = operations

    def find(self, segments: Sequence[str]) -> Answer | None:
        """Return what there is to read at a path; None for nothing."""
        match segments:
            case ["openapi.json"]:
                return Answer(status=200, body=self._document, headers=_DOCUMENT)
            case [""] | ["api.html"]:
                return Answer(status=200, body=self._page, headers=_page_headers())
            case ["problems", kind] if kind in KINDS:
                page = problem_page(kind, KINDS[kind], address=PREFIX)
                return Answer(status=200, body=page.encode(), headers=_page_headers())
            case _:
                return None

    @functools.cached_property
    def _document(self) -> bytes:
        return msgspec.json.encode(document_of(self._operations))

    @functools.cached_property
    def _page(self) -> bytes:
        return document_page(document_of(self._operations), address=PREFIX).encode()


@functools.cache
def _page_headers() -> Mapping[str, str]:
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": f"{policy()}; frame-ancestors 'none'",
        "Cache-Control": "no-cache",
    }


def problem(
    kind: str, detail: str, headers: Mapping[str, str] | None = None, errors: Sequence[FieldProblem] = ()
) -> Answer:
    """Return the answer that says what is wrong with a request that comes to no route."""
    made = make_problem(kind, detail, PROBLEMS, errors)
    common = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
    return Answer(status=made.status, body=msgspec.json.encode(made), headers={**common, **(headers or {})})
