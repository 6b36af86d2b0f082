"""Pages about the API, readable without a script: what the document says, and what each kind of problem means. Pure."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from feeds.templating import ASSETS
from pipeline.web.api.address import PAGE
from pipeline.web.api.problems import KINDS, Kind

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
METHODS = ("get", "post", "put", "patch", "delete")
# Beside the style of the published pages.
_OWN_STYLE = """
.operation{margin:0 0 2.2rem;padding-top:.6rem;border-top:1px solid currentcolor;overflow-wrap:anywhere}
.fields dt{margin-top:.5rem}.fields dd{margin:0 0 0 1.5rem}
.subjects{display:flex;flex-wrap:wrap;gap:.3rem 1rem;padding:0;list-style:none}
pre{overflow-x:auto}
"""
# The words of JSON Schema that bound a value, as a person says them.
_BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} letters",
    "maxLength": "at most {} letters",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "pattern": "as {}",
    "format": "{}",
}
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "object",
}


def document_page(document: Mapping[str, Any], *, address: str) -> str:
    """Return the page that shows an OpenAPI document of ours; `address` is where the API is."""
    return _render(
        "document.html.j2",
        address=address,
        title="API",
        tagline=document["info"]["description"],
        here=PAGE,
        subjects=list(_subjects(document)),
        shapes=[_shape(name, schema) for name, schema in sorted(document["components"]["schemas"].items())],
        problems=KINDS,
        kind=kind_html,
        foot=f"Lootwire {document['info']['version']}",
    )


def problem_page(name: str, problem: Kind, *, address: str) -> str:
    """Return the page of a kind of problem."""
    tagline = f"{problem.status}, problem {name}"
    return _render(
        "problem.html.j2", address=address, title=problem.title, tagline=tagline, here="", problem=problem, foot=""
    )


def policy() -> str:
    """Return the Content-Security-Policy of these pages: nothing but their own style."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def kind_html(schema: Mapping[str, Any]) -> Markup:
    """Return in words what a schema allows, with links to shapes."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#shape-{0}">{0}</a>').format(name)
    if "anyOf" in schema:
        return Markup(" or ").join(kind_html(each) for each in schema["anyOf"])
    if words := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return Markup(" or ").join(Markup("<code>{}</code>").format(each) for each in words)
    bounds = [words.format(schema[name]) for name, words in _BOUNDS.items() if name in schema]
    bounded = Markup(", {}").format(", ".join(bounds)) if bounds else Markup()
    if schema.get("type") == "array":
        return Markup("list of {}{}").format(kind_html(schema.get("items") or {}), bounded)
    return Markup("{}{}").format(_TYPES.get(schema.get("type", ""), "any value"), bounded)


def _subjects(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    by_tag: dict[str, list[Mapping[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = _operation(method, path, methods[method], document["components"])
                by_tag.setdefault(methods[method]["tags"][0], []).append(operation)
    yield from ({"name": tag, "operations": operations} for tag, operations in by_tag.items())


def _operation(
    method: str, path: str, described: Mapping[str, Any], components: Mapping[str, Any]
) -> Mapping[str, Any]:
    status, good = next((status, each) for status, each in described["responses"].items() if "$ref" not in each)
    content = good.get("content") or {}
    body = described.get("requestBody")
    scopes = [scope for each in described["security"] for scopes in each.values() for scope in scopes]
    return {
        "name": described["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": described["summary"],
        "description": described["description"],
        "scope": ", ".join(scopes),
        "parameters": [_row(_resolved(each, components)) for each in described["parameters"]],
        "body": next(iter(body["content"].values()))["schema"] if body else None,
        "status": status,
        "answer": next(iter(content.values())).get("schema") if content else None,
        "others": [other for other in described["responses"] if other not in {status, "default"}],
    }


def _resolved(parameter: Mapping[str, Any], components: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in parameter:
        return parameter
    resolved: Mapping[str, Any] = components["parameters"][parameter["$ref"].rpartition("/")[2]]
    return resolved


def _row(parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = parameter["schema"]
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "needed": parameter["required"],
        "schema": schema,
        "description": parameter.get("description") or schema.get("description", ""),
    }


def _shape(name: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    needed: Iterable[str] = schema.get("required", ())
    rows = [
        {
            "name": field,
            "place": "",
            "needed": False if field not in needed else "always",
            "schema": each,
            "description": each.get("description", ""),
        }
        for field, each in schema.get("properties", {}).items()
    ]
    return {"name": name, "description": schema.get("description", ""), "rows": rows, "schema": schema}


def _render(template: str, **values: Any) -> str:
    shared = {"policy": policy(), "style": Markup(_style()), "page": PAGE}  # noqa: S704 - our own stylesheet
    return _environment().get_template(template).render(**shared, **values)


@lru_cache
def _style() -> str:
    return (ASSETS / "style.css").read_text("utf-8") + _OWN_STYLE


@lru_cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
