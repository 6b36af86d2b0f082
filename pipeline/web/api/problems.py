"""Errors as `application/problem+json` (RFC 9457): each kind has a status, a title and a page with the way out."""

from collections.abc import Mapping, Sequence

import msgspec

from models.errors import LootwireError, TakenName, UnknownThing, UsageError, WrongFields
from pipeline.errors import SourceError
from pipeline.people.store.plans import QuotaError
from pipeline.runtime.problems import explain

CONTENT_TYPE = "application/problem+json"


class FieldProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one field: a JSON pointer into the body, or below `/query` and `/path`."""

    pointer: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was wrong with a request (RFC 9457). `type` is the address of a page about this kind of problem."""

    type: str
    title: str
    status: int
    detail: str
    errors: Sequence[FieldProblem] = ()


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of problem: its status and title, and what its page says to do about it."""

    status: int
    title: str
    way_out: str


KINDS: Mapping[str, Kind] = {
    "no-key": Kind(
        status=401,
        title="No valid key",
        way_out="Send `Authorization: Bearer lw_…`. `lootwire keys add` makes a key; one that expired, was revoked or "
        "was cut short is not valid.",
    ),
    "not-allowed": Kind(
        status=403,
        title="Not allowed",
        way_out="The key lacks the scope that the document names for this route, or its person the role. The owner "
        "makes keys with other scopes by `lootwire keys add --scope`.",
    ),
    "not-found": Kind(
        status=404,
        title="Not found",
        way_out="Nothing of that name or number is there, or it is another person's.",
    ),
    "method": Kind(
        status=405,
        title="Not with this method",
        way_out="The header Allow names the methods that this path has.",
    ),
    "slow": Kind(
        status=408,
        title="The body came too slowly",
        way_out="A body has to be there within some seconds of its headers. Send it again over a better connection.",
    ),
    "conflict": Kind(
        status=409,
        title="Conflict",
        way_out="Something else is in the way, such as the same name. Or the same Idempotency-Key came with another "
        "request, or while the first one is still being answered.",
    ),
    "changed": Kind(
        status=412,
        title="Changed meanwhile",
        way_out="Somebody changed it since you read it. Read it again, look at the difference, and send its new ETag "
        "in If-Match.",
    ),
    "too-large": Kind(
        status=413,
        title="Too large",
        way_out="A body may have as many bytes as the document says. Send it in parts.",
    ),
    "no-json": Kind(
        status=415,
        title="Not JSON",
        way_out="Send the body as `Content-Type: application/json`.",
    ),
    "wrong-host": Kind(
        status=421,
        title="Not under this name",
        way_out="The API answers to the name in LOOTWIRE_PUBLIC_URL, to those of the machine itself such as localhost, "
        "and to those that LOOTWIRE_HOSTS lists. Any other may be a page that turned its own name to this machine.",
    ),
    "range": Kind(
        status=416,
        title="Beyond the end",
        way_out="Content-Range says how many bytes the file has; ask for some of these.",
    ),
    "invalid": Kind(
        status=422,
        title="Not valid",
        way_out="Each of `errors` names a field by its JSON pointer, and what is wrong with it.",
    ),
    "no-condition": Kind(
        status=428,
        title="Say which version you change",
        way_out="Send the ETag that you read in If-Match, or `If-Match: *` to change whatever is there.",
    ),
    "too-many": Kind(
        status=429,
        title="Too many requests",
        way_out="Wait for as many seconds as Retry-After says. RateLimit says what is left.",
    ),
    "quota": Kind(
        status=402,
        title="More than your plan gives",
        way_out="`GET /me` says what is left and when more comes; the owner grants more by `lootwire credits grant`, "
        "or gives another plan by `lootwire plans`.",
    ),
    "failed": Kind(
        status=500,
        title="Failed",
        way_out="This is a fault of Lootwire. Its log has the reason under the time of the answer; please report it.",
    ),
    "source": Kind(
        status=502,
        title="A service did not answer as it should",
        way_out="The text says which, and why. Try again later, or see `GET /sources`.",
    ),
    "away": Kind(
        status=503,
        title="Away for a moment",
        way_out="The database is away, or this took longer than a request may. Try again after Retry-After.",
    ),
}


# What only the database can see (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_OF_DATABASE: Mapping[str | None, tuple[str, str]] = {
    "23505": ("conflict", "somebody else made the same at this moment; look, and come again"),
    "23503": ("conflict", "somebody else removed what it belongs to at this moment; look, and come again"),
    "54000": ("invalid", "something in it is too long to be found again"),
}


class RequestProblem(LootwireError):
    """A request that cannot be answered, of a kind that `KINDS` names."""

    def __init__(self, kind: str, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.headers = dict(headers or {})
        self.fields: Sequence[FieldProblem] = ()


class InvalidRequest(RequestProblem):
    """A request whose path, query or body is wrong, with each wrong field."""

    def __init__(self, errors: Sequence[FieldProblem]) -> None:
        super().__init__("invalid", "; ".join(f"{each.pointer or '/'}: {each.detail}" for each in errors))
        self.fields = tuple(errors)


def problem_of(error: Exception, page: str) -> Problem | None:
    """Return what a client reads of an error; None where only a developer can do something about it.

    `page` is the address below which each kind of problem has a page.
    """
    errors: Sequence[FieldProblem] = ()
    if isinstance(error, RequestProblem):
        kind, errors = error.kind, error.fields
    elif isinstance(error, QuotaError):
        kind = "quota"
    elif isinstance(error, UnknownThing):
        kind = "not-found"
    elif isinstance(error, TakenName):
        kind = "conflict"
    elif isinstance(error, UsageError):
        kind = "invalid"
        if isinstance(error, WrongFields):
            errors = [FieldProblem(pointer=pointer, detail=detail) for pointer, detail in error.fields.items()]
    elif isinstance(error, SourceError):
        kind = "source"
    elif isinstance(error, LootwireError):
        kind = "conflict"
    elif (known := _OF_DATABASE.get(getattr(getattr(error, "orig", None), "sqlstate", None))) is not None:
        return make_problem(*known, page)
    else:
        kind = "away"
    detail = str(error) if kind != "away" or isinstance(error, LootwireError) else explain(error)
    return None if detail is None else make_problem(kind, detail, page, errors)


def make_problem(kind: str, detail: str, page: str, errors: Sequence[FieldProblem] = ()) -> Problem:
    """Return a problem of a kind, with a sentence about this one."""
    known = KINDS[kind]
    return Problem(type=f"{page}/{kind}", title=known.title, status=known.status, detail=detail, errors=errors)
