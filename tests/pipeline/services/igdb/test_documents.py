"""Cutting answers into documents, and keeping JSON that PostgreSQL would refuse."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SourceChanged
from pipeline.services.igdb.documents import split_documents, storable
from pipeline.services.igdb.parse import parse_game
from tests.pipeline.games.documents import encode, game


def test_a_documents_digest_follows_its_own_bytes_and_no_others() -> None:
    first, second = split_documents(encode([game(1), game(2)])).documents
    again, changed = split_documents(encode([game(1), game(2, hypes=3)])).documents

    assert (first.igdb_id, second.igdb_id) == (1, 2)
    assert first.digest == again.digest
    assert second.digest != changed.digest


def test_a_row_without_an_id_is_set_aside_and_the_page_goes_on() -> None:
    answer = split_documents(encode([game(1), {"name": "x"}, 7, game(2)]))

    assert [document.igdb_id for document in answer.documents] == [1, 2]
    assert [raw for raw, _ in answer.broken] == [encode({"name": "x"}), b"7"]


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"message": "Too Many Requests"}', b"<html>", b"[{"])
def test_an_answer_that_is_no_list_is_a_changed_source_and_is_kept(payload: bytes) -> None:
    with pytest.raises(SourceChanged) as error:
        split_documents(payload)

    assert error.value.payload == payload


def test_one_half_of_a_surrogate_does_not_cost_the_page() -> None:
    payload = b'[{"id": 1, "name": "a\\ud83d b"}, {"id": 2, "name": "c\\ud83d\\ude00"}]'

    names = [parse_game(document.raw).record.name for document in split_documents(payload).documents]

    assert names == ["a b", "c\N{GRINNING FACE}"]


def test_a_row_that_is_nested_too_deep_costs_no_other_and_no_other_changes() -> None:
    deep = encode(game(1)).replace(b'"id"', b'"deep": ' + b"[" * 5000 + b"]" * 5000 + b', "id"', 1)
    page = split_documents(b"[%s, %s]" % (deep, encode(game(2))))
    (alone,) = split_documents(encode([game(2)])).documents

    first, second = page.documents
    assert parse_game(first.raw).record.igdb_id == 1
    assert second.digest == alone.digest


def test_broken_utf_8_outside_of_what_is_read_does_not_cost_the_game() -> None:
    parsed = parse_game(b'{"id": 1, "name": "Aldmoor", "storyline": "\xff"}')

    assert parsed.record.name == "Aldmoor"
    assert json.loads(parsed.raw)["storyline"] == "\N{REPLACEMENT CHARACTER}"


def test_a_document_that_can_be_kept_is_kept_byte_for_byte() -> None:
    raw = '{"id": 1,\n "name": "it\\u0027s \\"Pok\\u00e9mon\\" 灯"}'.encode()

    assert storable(raw) == raw


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec=None)), inner),
)


@given(_JSON)
def test_whatever_a_document_holds_becomes_json_without_what_cannot_be_kept(value: object) -> None:
    document = storable(json.dumps({"id": 1, "extra": value}).encode())

    text = json.dumps(json.loads(document), ensure_ascii=False)
    assert "\0" not in text
    assert "\\u0000" not in text.replace("\\\\", "")
    text.encode()


def test_a_row_of_megabytes_is_refused_before_it_is_copied() -> None:
    rows = b'[{"id": 1, "name": "%s"}]' % (b"x" * 3 * 2**20)
    with pytest.raises(SourceChanged, match=r"a row of 3,145,7\d\d bytes: larger than 2 MiB"):
        split_documents(rows)
