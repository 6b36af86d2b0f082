"""Dates, hours and ratings as people type them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import UsageError
from models.periods import read_period
from pipeline.library.journal.reading import Rating, check_order, read_hours, read_rating, read_when

TODAY = date(2026, 11, 29)


@pytest.mark.parametrize(
    ("written", "period"),
    [
        ("2012", "2012"),
        ("1999-Q3", "1999-Q3"),
        ("q3 1999", "1999-Q3"),
        ("1999q3", "1999-Q3"),
        ("nov 2020", "2020-11"),
        ("Sept. 2020", "2020-09"),
        ("November 2020", "2020-11"),
        ("2020-11", "2020-11"),
        ("11/2020", "2020-11"),
        ("21 nov 2020", "2020-11-21"),
        ("21. November 2020", "2020-11-21"),
        ("Nov 21st, 2020", "2020-11-21"),
        ("21.11.2020", "2020-11-21"),
        ("2020-11-21", "2020-11-21"),
        ("2020/1/2", "2020-01-02"),
        (" Today ", "2026-11-29"),
        ("yesterday", "2026-11-28"),
    ],
)
def test_a_date_is_kept_as_precisely_as_a_person_knows_it(written: str, period: str) -> None:
    assert read_when(written, TODAY) == period


@pytest.mark.parametrize("written", ["", "soon", "tbd", "3/4/2020", "2020-13", "31 feb 2020", "1999-Q5", "20", "0000"])
def test_what_is_no_date_is_refused_with_examples(written: str) -> None:
    with pytest.raises(UsageError, match="write 2012, 1999-Q3, nov 2020"):
        read_when(written, TODAY)


def test_a_date_that_is_yet_to_come_is_refused() -> None:
    assert read_when("2026", TODAY) == "2026"
    with pytest.raises(UsageError, match="yet to come"):
        read_when("2027", TODAY)


def test_an_end_before_its_beginning_is_refused_unless_both_may_be_the_same_time() -> None:
    check_order("2020-11-21", "2020")
    check_order("2020", "2020-01-02")
    with pytest.raises(UsageError, match="finished in 2019 and started in November 2020"):
        check_order("2020-11", "2019")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("41h", 41 * 3600),
        ("41", 41 * 3600),
        ("7,5", 27000),
        ("7.5 hours", 27000),
        ("1:30", 5400),
        ("1:30:15", 5415),
        ("90 min", 5400),
        ("90m", 5400),
        ("2h 30m", 9000),
        ("2h30", 9000),
        ("2 hours, 5 minutes", 7500),
        ("0", 0),
    ],
)
def test_hours_are_read_as_people_type_them(written: str, seconds: int) -> None:
    assert read_hours(written) == seconds


@pytest.mark.parametrize("written", ["", "--", "long", "-3", "1:75", "3 days", "30m 2h", "5 5", "9999999h"])
def test_what_is_no_length_of_time_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="write 41h, 1:30 or 90 min"):
        read_hours(written)


@given(st.text(max_size=20))
def test_no_text_is_read_as_nonsense(written: str) -> None:
    for read in (read_hours, lambda text: read_when(text, TODAY), read_rating):
        try:
            value = read(written)
        except UsageError:
            continue
        assert value is not None
        assert not isinstance(value, str) or read_period(value) is not None


@pytest.mark.parametrize(
    ("written", "scale", "rating"),
    [
        ("4/5", None, Rating(80, 5)),
        ("8.5/10", None, Rating(85, 10)),
        ("8,5 of 10", None, Rating(85, 10)),
        ("85%", None, Rating(85, 100)),
        ("85", None, Rating(85, 100)),
        ("4", 5, Rating(80, 5)),
        ("0/10", None, Rating(0, 10)),
    ],
)
def test_a_rating_keeps_the_scale_that_it_was_given_on(written: str, scale: int | None, rating: Rating) -> None:
    assert read_rating(written, scale) == rating


def test_a_rating_that_may_be_of_several_scales_is_not_guessed() -> None:
    with pytest.raises(UsageError, match="may be of 5, 10 or 100"):
        read_rating("4")
    with pytest.raises(UsageError, match="more than 5"):
        read_rating("7/5")
    with pytest.raises(UsageError, match="leave one of them out"):
        read_rating("7/10", 5)
    with pytest.raises(UsageError, match="is no rating"):
        read_rating("good")
