"""The details of events, as they are stored and read again."""

from datetime import UTC, datetime

import pytest

from models.details import (
    DETAILS,
    BenefitLine,
    CampaignDetail,
    DropLine,
    EventDetail,
    FieldChange,
    ReleaseDetail,
    SourceDetail,
    StreamDetail,
    detail_from_json,
    detail_to_json,
    detail_type,
)
from models.events import EventKind

END = datetime(2031, 3, 9, 7, 59, tzinfo=UTC)


@pytest.mark.parametrize("kind", EventKind)
def test_each_kind_has_the_detail_of_its_family_and_of_no_other(kind: EventKind) -> None:
    assert [detail for detail in DETAILS if kind.family in detail.families] == [detail_type(kind)]


@pytest.mark.parametrize("kind", EventKind)
def test_a_detail_without_anything_is_an_empty_object(kind: EventKind) -> None:
    assert detail_to_json(detail_type(kind)()) == {}
    assert detail_from_json(kind, {}) == detail_type(kind)()


def test_everything_that_a_detail_holds_survives_json() -> None:
    detail = CampaignDetail(
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

    assert detail_from_json("campaign.changed", detail_to_json(detail)) == detail


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("reward.added", CampaignDetail(name="Quest", required_minutes=45)),
        ("badge.added", CampaignDetail(name="GLHF", image_url="https://example.com/3")),
        ("video.published", StreamDetail(name="Day 3", channel="shroud", seconds=7200)),
        ("release.moved", ReleaseDetail(game="Rust", when="2027-Q1", when_before="2026-12-01", days=120)),
        ("source.failing", SourceDetail(name="kick.drops", reason="HTTP 403", since=END)),
    ],
)
def test_the_kind_says_how_a_stored_detail_is_read_and_the_json_does_not(kind: str, detail: EventDetail) -> None:
    as_json = detail_to_json(detail)

    assert set(as_json) <= set(detail.__struct_fields__)
    assert detail_from_json(kind, as_json) == detail


def test_times_are_written_with_their_zone() -> None:
    assert detail_to_json(CampaignDetail(end_at=datetime(2031, 3, 9, tzinfo=UTC))) == {"end_at": "2031-03-09T00:00:00Z"}


def test_fields_of_a_newer_version_are_passed_over() -> None:
    detail = CampaignDetail(name="Week")
    assert detail_from_json("campaign.added", {"name": "Week", "of_tomorrow": {"x": 1}}) == detail
    assert detail_from_json("family_of_tomorrow.added", {"name": "Week", "end_at": None}) == detail


def test_a_detail_comes_back_from_json_as_it_went_in() -> None:
    drops = (DropLine(name="Hat", required_minutes=60),)
    detail = CampaignDetail(name="Week", end_at=END, drops=drops, channels=("ann",))

    as_json = detail_to_json(detail)

    assert detail_from_json("campaign.added", as_json) == detail
    assert "description" not in as_json
    assert detail_from_json("campaign.added", {**as_json, "of_a_newer_version": 1}) == detail
