"""Payloads, each beside its expected records under tests/payloads."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.drops import sources as drops
from pipeline.ingest.source import ListSource
from pipeline.runtime.settings import Settings
from tests.paths import PAYLOADS
from tests.pipeline.world import DROPS

SOURCES = drops.sources(Settings(), None, None)
CASES = sorted(path for path in PAYLOADS.glob("*/*.json") if not path.name.endswith(".expected.json"))


def as_json(record: Any) -> Any:
    """Return a record as JSON without its empty fields."""
    return without_nulls(msgspec.to_builtins(record))


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list | tuple) else value


def source_of(path: Path) -> ListSource:
    """Return the source that a folder is named after."""
    return next(source for source in SOURCES if path.parent.name == source.name.replace(".", "_"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_payload_becomes_the_records_that_are_written_down_beside_it(path: Path) -> None:
    expected = json.loads(path.with_suffix(".expected.json").read_bytes())
    source = source_of(path)

    snapshot = source.split(path.read_bytes())

    assert [as_json(source.parse(item)) for item in snapshot.items] == expected["records"]
    assert list(snapshot.broken) == []
    assert sorted(snapshot.empty_groups) == expected.get("empty_groups", [])
    assert snapshot.scope == (frozenset(expected["scope"]) if "scope" in expected else None)


def test_every_source_has_payloads_and_each_payload_has_its_expectation() -> None:
    assert {source_of(path).name for path in CASES} == {source.name for source in SOURCES}
    expectations = {path.name.replace(".expected.json", ".json") for path in PAYLOADS.glob("*/*.expected.json")}
    assert expectations == {path.name for path in CASES}


def test_both_versions_of_the_mirror_list_the_same_items_with_the_same_digests() -> None:
    bare = (PAYLOADS / "twitch_drops" / "version_1.json").read_bytes()
    wrapped = b'{"lastUpdatedAt":"2031-03-04T12:00:00Z","refreshIntervalSeconds":60,"data":' + bare + b"}"

    assert [item.digest for item in DROPS.split(wrapped).items] == [item.digest for item in DROPS.split(bare).items]


def test_an_items_digest_follows_its_own_bytes_and_those_of_its_groups_head() -> None:
    bare = (PAYLOADS / "twitch_drops" / "version_1.json").read_bytes()

    def digests(payload: bytes) -> list[bytes]:
        return [item.digest for item in DROPS.split(payload).items]

    before = digests(bare)
    assert [a == b for a, b in zip(before, digests(bare.replace(b"Moss Day", b"Moss day")), strict=True)] == [
        False,
        True,
    ]
    assert not set(before) & set(digests(bare.replace(b"/moss.jpg", b"/moss-2.jpg")))
    assert before == digests(bare.replace(b"/orbit.jpg", b"/orbit-2.jpg"))
