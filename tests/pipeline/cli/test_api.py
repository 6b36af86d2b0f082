"""`api openapi` and `api page`."""

import json

from tests.pipeline.cli.operator import Operator


def test_the_document_is_printed_as_json(operator: Operator) -> None:
    document = json.loads(operator.run("api", "openapi").out)

    assert document["openapi"] == "3.1.0"
    assert document["paths"]


def test_the_page_is_printed_whole(operator: Operator) -> None:
    page = operator.run("api", "page").out

    assert page.startswith("<!DOCTYPE html>")
    assert page.rstrip().endswith("</html>")
