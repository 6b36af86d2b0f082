"""Our own export comes back as it went."""

from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.library.formats.own import export_lines
from pipeline.library.records import ListRecord, Placing, PlaythroughRecord, Record
from tests.pipeline.library.formats.examples import read

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30).filter(
    str.strip
)
PERIODS = st.sampled_from(["2026-07-26", "2026-07", "1999-Q3", "2012"]) | st.none()
RATINGS = st.none() | st.floats(0, 100)
PLAYTHROUGHS = st.builds(
    PlaythroughRecord,
    key=WORDS,
    status=st.sampled_from(["playing", "finished", "mastered"]),
    completion=st.sampled_from(["main", "all", None]),
    platform=WORDS,
    started=PERIODS,
    finished=PERIODS,
    seconds=st.none() | st.integers(0, 10**6),
    rating=RATINGS,
    notes=st.none() | WORDS,
    is_replay=st.booleans(),
)
RECORDS = st.builds(
    Record,
    line=st.just(0),
    written=WORDS,
    no_game=st.none() | WORDS,
    title=st.none() | WORDS,
    year=st.none() | st.integers(1950, 2100),
    igdb_id=st.none() | st.integers(1, 2**31 - 1),
    store=st.sampled_from(["steam", "rom", None]),
    external_id=st.none() | WORDS,
    platforms=st.lists(WORDS, max_size=3).map(tuple),
    ownership=st.sampled_from(["owned", "wished", None]),
    acquired_on=st.none() | st.dates(date(1950, 1, 1)),
    playtime_seconds=st.none() | st.integers(0, 10**6),
    last_played_at=st.none() | st.datetimes(datetime(1951, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    is_hidden=st.booleans(),
    status=st.sampled_from(["backlog", "endless", None]),
    rating=RATINGS,
    rating_scale=st.sampled_from([5, 10, 100, None]),
    is_favourite=st.booleans(),
    tags=st.lists(WORDS, max_size=3).map(tuple),
    notes=st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50),
    series=st.none() | WORDS,
    playthroughs=st.lists(PLAYTHROUGHS, max_size=3).map(tuple),
    placings=st.lists(st.builds(Placing, name=WORDS, place=st.integers(1, 99)), max_size=2).map(tuple),
)
LISTS = st.builds(ListRecord, name=WORDS, ranked=st.booleans(), description=st.none() | WORDS, wants=st.booleans())


@given(st.lists(RECORDS, min_size=1, max_size=4), st.lists(LISTS, max_size=2))
def test_what_is_exported_comes_back_whole(records: list[Record], lists: list[ListRecord]) -> None:
    reading = read(b"".join(export_lines(records, lists)))

    assert reading.broken == []
    assert [msgspec.structs.replace(record, line=0) for record in reading.records] == records
    assert reading.lists == lists


def test_a_sign_that_is_no_text_comes_back_too() -> None:
    record = Record(line=2, written="Ico", notes="a\x7fb")

    assert read(b"".join(export_lines([record], []))).records == [record]


def test_lines_are_counted_as_the_file_has_them() -> None:
    lines = list(export_lines([Record(line=7, written="Ico")], [ListRecord(name="Top")]))

    assert [each.line for each in read(b"".join(lines)).records] == [3]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"game":{"written":""}}', "`written` is empty"),
        ('{"game":{"written":"a\\u0000b"}}', "`written` is empty, or holds what no database keeps"),
        ('{"game":{"written":"Ico","rating":101}}', "`rating` is not within 0 and 100"),
        ('{"game":{"written":"Ico","igdb_id":99999999999}}', "`igdb_id` is not within"),
        ('{"game":{"written":"Ico","last_played_at":"2020-01-01T00:00:00"}}', "is no time with a zone"),
        ('{"game":{"written":"Ico","status":"bored"}}', "it is no line of an export"),
        ('{"game":{"written":"Ico","playthroughs":[{"key":"k","status":"finished","finished":"soon"}]}}', "is no date"),
        ("{}", "it has neither a `list` nor a `game`"),
        ("not json", "it is no line of an export"),
    ],
)
def test_a_line_that_was_broken_by_hand_is_set_aside(line: str, reason: str) -> None:
    whole = b"".join(export_lines([Record(line=1, written="Rez")]))

    reading = read(whole + line.encode() + b"\n")

    assert [each.written for each in reading.records] == ["Rez"]
    assert [each.line for each in reading.broken] == [3]
    assert reason in reading.broken[0].reason
