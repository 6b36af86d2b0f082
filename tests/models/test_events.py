"""Kinds of events, and the detail that every reader of an event reads."""

from datetime import UTC, datetime

import pytest

from models.events import BenefitLine, DropLine, EventDetail, EventKind, FieldChange, detail_from_json, detail_to_json


@pytest.mark.parametrize("kind", EventKind)
def test_a_kinds_family_is_the_part_before_the_dot(kind: EventKind) -> None:
    family, _, rest = kind.value.partition(".")

    assert kind.family == family
    assert rest


def test_a_detail_without_anything_is_an_empty_object() -> None:
    assert detail_to_json(EventDetail()) == {}
    assert detail_from_json({}) == EventDetail()


def test_everything_that_a_detail_holds_survives_json() -> None:
    detail = EventDetail(
        name="@everyone <script>",
        start_at=datetime(2031, 3, 1, 8, tzinfo=UTC),
        end_at=datetime(2031, 3, 9, 7, 59, 59, 999000, tzinfo=UTC),
        required_subs=2,
        drops=(DropLine(name="Hat", required_minutes=60, benefits=(BenefitLine(name="Cool hat"),)),),
        channels_total=30,
        channels=("ann", "bob"),
        changes=(FieldChange(field="benefits", old=["Hat"], new=["Hat", "Cap"], about="Hat"),),
        channels_added=("cid",),
    )

    assert detail_from_json(detail_to_json(detail)) == detail


def test_times_are_written_with_their_zone() -> None:
    assert detail_to_json(EventDetail(end_at=datetime(2031, 3, 9, tzinfo=UTC))) == {"end_at": "2031-03-09T00:00:00Z"}


def test_fields_of_a_newer_version_are_passed_over() -> None:
    assert detail_from_json({"name": "Week", "of_tomorrow": {"x": 1}}) == EventDetail(name="Week")
