"""The document of the API, the page that shows it, and the pages of problems."""

import re
from typing import Any

import httpx
import msgspec
import pytest
from lxml import html
from openapi_spec_validator import OpenAPIV31SpecValidator

from pipeline.web.api.pages import policy
from pipeline.web.api.problems import KINDS
from pipeline.web.api.routes.all_routes import OPERATIONS
from pipeline.web.api.written import document_of
from tests.pipeline.web.api.conftest import ClientFor, Serve
from tests.pipeline.web.api.things import Things, things

__all__ = ["things"]


def plain(document: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(document))


@pytest.fixture
def stranger(client_for: ClientFor) -> httpx.Client:
    return client_for(None)


def test_the_document_is_openapi(stranger: httpx.Client, things: Things) -> None:
    document = stranger.get("/openapi.json").json()

    assert [*OpenAPIV31SpecValidator(document).iter_errors()] == []
    own = plain(document_of(tuple(things.routes.operations)))
    assert [*OpenAPIV31SpecValidator(own).iter_errors()] == []


def test_no_two_types_of_the_document_have_the_same_name() -> None:
    # Else they are named with their modules, and lists of them not at all.
    assert [name for name in document_of()["components"]["schemas"] if "." in name] == []


def test_the_document_names_each_status_and_what_it_takes(things: Things) -> None:
    paths = plain(document_of(tuple(things.routes.operations)))["paths"]

    shown, changed = paths["/things/{thing}"]["get"], paths["/things/{thing}"]["patch"]
    assert {"200", "304", "401", "403", "404", "421", "422", "429", "500", "503"} <= shown["responses"].keys()
    assert {"402", "409", "412", "413", "415", "428"} <= changed["responses"].keys()
    assert {"$ref": "#/components/parameters/If-Match"} in changed["parameters"]
    assert "412" not in paths["/things/{thing}/grow"]["post"]["responses"]
    assert "ETag" in shown["responses"]["200"]["headers"]


def test_times_are_described_as_times() -> None:
    schemas = plain(document_of())["components"]["schemas"]

    assert schemas["TargetAnswer"]["properties"]["created_at"]["format"] == "date-time"


def test_each_operation_has_a_name_of_its_own_and_a_sentence() -> None:
    assert len({each.name for each in OPERATIONS}) == len(OPERATIONS)
    assert len({(each.method, each.path) for each in OPERATIONS}) == len(OPERATIONS)
    assert all(each.handler.__doc__ for each in OPERATIONS)


def test_the_page_shows_each_operation_without_a_script(stranger: httpx.Client) -> None:
    page = stranger.get("/")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text == httpx.get(str(stranger.base_url).replace("/api/v1/", "/api.html"), verify=False).text  # noqa: S501
    tree = html.fromstring(page.text)
    assert {each.get("id") for each in tree.iter("h3")} >= {each.name for each in OPERATIONS}
    assert not [*tree.iter("script"), *tree.iter("img"), *tree.iter("link")]
    inside = {each.get("href")[1:] for each in tree.iter("a") if (each.get("href") or "").startswith("#")}
    assert inside <= {each.get("id") for each in tree.iter() if each.get("id")}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_problem_has_a_page(stranger: httpx.Client, kind: str) -> None:
    page = stranger.get(f"/problems/{kind}")

    assert page.status_code == 200
    assert page.headers["content-security-policy"] == f"{policy()}; frame-ancestors 'none'"
    assert KINDS[kind].title in html.fromstring(page.text).text_content()


def test_a_problem_leads_to_its_page(stranger: httpx.Client) -> None:
    problem = stranger.get("/targets").json()

    assert stranger.get(str(httpx.URL(str(stranger.base_url)).join(problem["type"]))).status_code == 200
    assert stranger.get("/problems/none").status_code == 404
    assert stranger.post("/openapi.json").status_code == 405


def test_what_a_page_shows_is_escaped(serve: Serve, client_for: ClientFor, things: Things) -> None:
    routes = things.routes
    routes.operations[0].handler.__doc__ = "List <b>things</b> & more."

    page = client_for(None, serve(routes)).get("/")

    assert "List &lt;b&gt;things&lt;/b&gt; &amp; more" in page.text
    assert re.search(r"style-src 'sha256-[A-Za-z0-9+/=]+'", page.headers["content-security-policy"])
