"""The judge's verdicts on snapshots."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.ingest.judge import OpenItem, Verdict, judge

NOW = datetime(2031, 3, 4, 12, tzinfo=UTC)
RUNNING, OVER = NOW + timedelta(days=1), NOW - timedelta(seconds=1)


def open_items(count: int, *, end_at: datetime | None = RUNNING, group: str | None = None) -> dict[str, OpenItem]:
    return {f"c{number}": OpenItem(group, end_at) for number in range(count)}


def verdict(known: dict[str, OpenItem], seen: Iterable[str], **options: Any) -> Verdict:
    listed = set(seen)
    given: dict[str, Any] = {"taken_at": NOW, "scope": None, "empty_groups": frozenset(), "invalid": 0}
    given |= {"total": len(listed) + options.get("invalid", 0)}
    return judge(known, listed, **(given | options))


def some(count: int) -> list[str]:
    return [f"c{number}" for number in range(count)]


def test_a_snapshot_that_lists_all_that_was_open_shows_nothing_to_be_gone() -> None:
    assert verdict(open_items(9), some(9)) == Verdict(outcome="sound")


def test_new_items_do_not_matter_to_what_is_gone() -> None:
    assert verdict(open_items(9), [*some(9), "new"]).absent == frozenset()


@pytest.mark.parametrize(
    ("known", "outcome"), [(0, "sound"), (1, "sound"), (3, "sound"), (4, "suspect"), (300, "suspect")]
)
def test_an_empty_answer_is_believed_only_where_three_at_most_were_open(known: int, outcome: str) -> None:
    judged = verdict(open_items(known), [])

    assert judged.outcome == outcome
    assert judged.reason == ("empty" if outcome == "suspect" else None)
    assert len(judged.absent) == known


def test_an_empty_answer_is_suspect_even_where_everything_was_due_to_end() -> None:
    assert verdict(open_items(4, end_at=OVER), []).reason == "empty"


@pytest.mark.parametrize(
    ("known", "gone", "outcome"),
    [
        (10, 5, "sound"),  # half, but no more than five
        (10, 6, "suspect"),
        (6, 5, "sound"),
        (20, 6, "sound"),  # exactly 30 %
        (19, 6, "suspect"),
        (100, 30, "sound"),
        (100, 31, "suspect"),
    ],
)
def test_an_answer_is_shrunken_when_more_than_five_and_more_than_30_percent_are_gone(
    known: int, gone: int, outcome: str
) -> None:
    judged = verdict(open_items(known), some(known)[gone:])

    assert judged.outcome == outcome
    assert judged.reason == ("shrunken" if outcome == "suspect" else None)
    assert judged.absent == set(some(gone))


def test_items_past_their_own_end_do_not_make_an_answer_shrunken() -> None:
    known = open_items(4) | {f"old{number}": OpenItem(None, OVER) for number in range(50)}

    assert verdict(known, some(4)) == Verdict(outcome="sound", absent=frozenset(known) - set(some(4)))


def test_items_without_an_end_count_as_vanished() -> None:
    assert verdict(open_items(10, end_at=None), some(4)).reason == "shrunken"


def test_what_is_missing_for_a_while_neither_makes_an_answer_shrunken_nor_counts_as_expected() -> None:
    missed = {f"m{number}": OpenItem(None, RUNNING, missed=True) for number in range(50)}

    assert verdict(open_items(9) | missed, some(9)).outcome == "sound"
    assert verdict(open_items(19) | missed, some(19)[6:]).detail == "6 of 19 open ones were missing before their end"
    assert verdict(open_items(3) | missed, []).outcome == "sound"


def test_a_doubted_answer_shows_what_is_doubted_to_be_gone() -> None:
    known = open_items(9) | {"over": OpenItem(None, OVER), "missed": OpenItem(None, RUNNING, missed=True)}

    assert verdict(known, some(3)).absent == set(some(9)) - set(some(3))
    assert verdict(known, []).absent == {*some(9), "over"}


def test_an_answer_of_nothing_but_empty_groups_misses_what_they_had() -> None:
    judged = verdict(open_items(9, group="7001"), [], empty_groups=frozenset({"7001"}))

    assert judged.reason == "empty"
    assert judged.absent == set(some(9))


def test_an_empty_group_judges_none_of_its_campaigns() -> None:
    known = open_items(30, group="7001") | {"other": OpenItem("7002", RUNNING), "x": OpenItem("7003", RUNNING)}

    judged = verdict(known, ["x"], empty_groups=frozenset({"7001"}))

    assert judged == Verdict(outcome="sound", absent=frozenset({"other"}))


def test_what_was_not_asked_for_cannot_be_missing() -> None:
    known = open_items(30)

    assert verdict(known, ["c0"], scope=frozenset({"c0", "c1"})).absent == {"c1"}
    assert verdict(known, [], scope=frozenset()) == Verdict(outcome="sound")


def test_an_empty_answer_to_a_question_about_some_is_no_outage() -> None:
    assert verdict(open_items(9), [], scope=frozenset({"c1", "c2"})).absent == {"c1", "c2"}


@pytest.mark.parametrize(
    ("seen", "invalid", "outcome"),
    [(19, 1, "sound"), (18, 1, "partial"), (95, 5, "sound"), (94, 6, "partial"), (0, 1, "partial"), (1000, 0, "sound")],
)
def test_more_than_five_percent_of_unreadable_items_make_an_answer_partial(
    seen: int, invalid: int, outcome: str
) -> None:
    judged = verdict(open_items(seen), some(seen), invalid=invalid)

    assert judged.outcome == outcome
    assert judged.reason == ("too_many_invalid" if outcome == "partial" else None)


def test_an_unreadable_item_whose_id_can_be_read_counts_once() -> None:
    judged = verdict(open_items(19), some(19), invalid=1, total=19)

    assert (judged.outcome, judged.detail) == ("partial", "1 of 19 items could not be read")


def test_a_partial_answer_shows_nothing_to_be_gone() -> None:
    judged = verdict(open_items(200), some(4), invalid=3)

    assert (judged.outcome, judged.absent) == ("partial", frozenset())
    assert judged.detail == "3 of 7 items could not be read"


def test_the_detail_says_what_a_person_should_know() -> None:
    assert verdict(open_items(7), []).detail == "the answer was empty while 7 were open"
    assert verdict(open_items(10), some(4)).detail == "6 of 10 open ones were missing before their end"


def test_an_answer_that_the_service_gave_in_part_is_believed_in_part_and_shows_nothing_to_be_gone() -> None:
    assert verdict(open_items(9), [], complete=False) == Verdict(outcome="partial")


def test_what_ends_at_the_moment_of_the_snapshot_has_not_vanished() -> None:
    assert verdict(open_items(10, end_at=NOW), some(4)).outcome == "sound"
