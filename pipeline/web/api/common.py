"""What the document says of all operations alike: statuses, headers, and the parameters that they share."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.web.api.files import PARTS
from pipeline.web.api.problems import CONTENT_TYPE, KINDS

_HEADERS = {
    "ETag": "The version of the answer, always a weak one: for If-None-Match and If-Match.",
    "Link": 'Where the next page is, as `<…>; rel="next"`; missing on the last.',
    "RateLimit": "What the key may ask at once from now on (`r`), and in how many seconds it is all again (`t`).",
    "RateLimit-Policy": "How many requests the key has at once and a minute.",
    "Retry-After": "After how many seconds to come again.",
    "Idempotent-Replayed": "`true` where this was answered before, to the same request with the same Idempotency-Key.",
    "WWW-Authenticate": "How to send a key.",
}
_PARAMETERS = {
    "If-None-Match": "The ETag of what you have: 304 where it is still that.",
    "If-Match": "The ETag of what you change, or `*` for whatever is there.",
    "Idempotency-Key": "A name that you make up for this request. Within a day the same request with the same name is "
    "answered the same, and done once.",
}
OF_PARTS: Mapping[str, Any] = {
    "206": {"description": "The parts that Range names.", "content": PARTS},
    str(KINDS["range"].status): {"$ref": "#/components/responses/range"},
}
_ALWAYS = ("RateLimit", "RateLimit-Policy")
_OF_KIND = {"no-key": ("WWW-Authenticate",), "too-many": ("Retry-After",), "away": ("Retry-After",)}
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# The longest that an Idempotency-Key may be.
_LONGEST_NAME = 255


def components(problem: Any) -> dict[str, Any]:
    """Return the components that operations refer to; `problem` is the schema of a problem document."""
    responses = {
        kind: {
            "description": f"{known.title}. {known.way_out}",
            "headers": _headers(_OF_KIND.get(kind, ())),
            "content": {CONTENT_TYPE: {"schema": problem}},
        }
        for kind, known in KINDS.items()
    }
    unchanged = {"description": "Not changed since If-None-Match.", "headers": _headers(("ETag",))}
    headers = {name: {"description": about, "schema": {"type": "string"}} for name, about in _HEADERS.items()}
    return {"responses": responses | {"unchanged": unchanged}, "headers": headers, "parameters": _parameters()}


def parameters(method: str, *, has_condition: bool) -> Sequence[Mapping[str, Any]]:
    """Return the headers that an operation takes beside its own parameters."""
    names = {"GET": ["If-None-Match"], "POST": ["Idempotency-Key"]}.get(method, [])
    return [{"$ref": f"#/components/parameters/{name}"} for name in [*names, *(["If-Match"] if has_condition else [])]]


def responses(
    method: str, *, has_key: bool, has_path: bool, has_body: bool, has_condition: bool, works: bool
) -> dict[str, Any]:
    """Return what an operation is answered beside what it is for, by status; anything else comes under default.

    It `works` where it asks a service or works on files.
    """
    kinds = ["wrong-host", "invalid", "too-many", "failed", "away"]
    kinds += ["no-key", "not-allowed"] if has_key else []
    kinds += ["not-found"] if has_path or has_body else []
    kinds += ["slow", "too-large", "no-json"] if has_body else []
    kinds += ["quota", "conflict"] if method in _CHANGING else []
    kinds += ["changed", "no-condition"] if has_condition else []
    kinds += ["source"] if works else []
    by_status = {str(KINDS[kind].status): {"$ref": f"#/components/responses/{kind}"} for kind in kinds}
    if method == "GET":
        by_status["304"] = {"$ref": "#/components/responses/unchanged"}
    return dict(sorted(by_status.items())) | {"default": {"$ref": "#/components/responses/failed"}}


def good_headers(method: str, *, has_condition: bool) -> dict[str, Any]:
    """Return the headers of an answer that is what the operation is for."""
    names = {"GET": ("ETag", "Link"), "POST": ("Idempotent-Replayed",)}.get(method, ())
    return _headers((*names, *(("ETag",) if has_condition and method != "DELETE" else ())))


def _headers(names: Sequence[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, *_ALWAYS)}


def _parameters() -> dict[str, Any]:
    schemas: dict[str, dict[str, Any]] = {
        "If-None-Match": {"type": "string"},
        "If-Match": {"type": "string", "minLength": 1, "examples": ["*"]},
        "Idempotency-Key": {
            "type": "string",
            "minLength": 1,
            "maxLength": _LONGEST_NAME,
            "pattern": r"^[!#-\[\]-~]+$",
        },
    }
    return {
        name: {
            "name": name,
            "in": "header",
            "required": name == "If-Match",
            "description": about,
            "schema": schemas[name],
        }
        for name, about in _PARAMETERS.items()
    }
