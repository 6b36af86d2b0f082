"""Times in messages are those of whoever reads them: in their zone, their language, and from now."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.details import CampaignDetail, FieldChange
from models.events import EventKind
from models.words import title
from notifiers.reader import PLAIN, Reader, is_locale
from notifiers.render import render_message
from notifiers.view import EventText

NOW = datetime(2026, 11, 22, 13, 59, tzinfo=UTC)
HOUR = timedelta(hours=1)
BERLIN, NEW_YORK, SEOUL = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Seoul")


@pytest.mark.parametrize(
    ("reader", "at", "expected"),
    [
        pytest.param(PLAIN, NOW, "2026-11-22 13:59 UTC", id="for everybody"),
        pytest.param(Reader(BERLIN, "en", NOW), NOW + 5 * HOUR, "Sun 22 Nov, 19:59 CET (in 5 hours)", id="English"),
        pytest.param(Reader(BERLIN, "de", NOW), NOW + 5 * HOUR, "So., 22. Nov., 19:59 CET (in 5 Stunden)", id="German"),
        pytest.param(Reader(SEOUL, "ko", NOW), NOW + 5 * HOUR, "11월 23일 (월), 오전 3:59 KST (5시간 후)", id="Korean"),
        pytest.param(Reader(BERLIN, "en", NOW), NOW - HOUR, "Sun 22 Nov, 13:59 CET", id="what has passed"),
        pytest.param(Reader(BERLIN, "en", NOW), NOW + 60 * 24 * HOUR, "Thu, 21 Jan 2027, 14:59 CET", id="far off"),
        pytest.param(Reader(ZoneInfo("UTC"), "en", NOW), NOW, "Sun 22 Nov, 13:59 UTC", id="in UTC"),
        pytest.param(Reader(BERLIN, "xx_nowhere", NOW), NOW, "Sun 22 Nov, 14:59 CET", id="a language of nobody"),
        pytest.param(Reader(BERLIN, "en", NOW), datetime.max.replace(tzinfo=UTC), "9999-12-31 23:59 UTC", id="the end"),
    ],
)
def test_a_time_is_written_for_its_reader(reader: Reader, at: datetime, expected: str) -> None:
    assert reader.moment(at) == expected


def test_the_clocks_of_a_reader_change_when_they_do() -> None:
    reader = Reader(BERLIN, "en", NOW)
    before, after = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert [reader.moment(at) for at in (before, after)] == ["Sun 25 Oct, 02:30 CEST", "Sun 25 Oct, 02:30 CET"]


DETAIL = CampaignDetail(name="Winter", game="Rust", start_at=NOW - HOUR, end_at=NOW + 5 * HOUR)


@pytest.mark.parametrize(
    ("kind", "detail", "expected"),
    [
        (EventKind.CAMPAIGN_ENDING_SOON, DETAIL, "Sun 22 Nov, 13:59 EST on Twitch"),
        (EventKind.CAMPAIGN_LAST_CHANCE, DETAIL, "Sun 22 Nov, 13:59 EST on Twitch"),
        (
            EventKind.CAMPAIGN_CHANGED,
            CampaignDetail(
                name="Winter",
                game="Rust",
                changes=(FieldChange(field="end_at", old=None, new=(NOW + 5 * HOUR).isoformat()),),
            ),
            "now ends Sun 22 Nov, 13:59 EST",
        ),
    ],
)
def test_a_headline_has_the_time_of_its_reader(kind: EventKind, detail: CampaignDetail, expected: str) -> None:
    written = title(kind, "twitch", detail, NOW)
    event = EventText(kind=kind, title=written, occurred_at=NOW, service="twitch", detail=detail)
    message = render_message([event], reader=Reader(NEW_YORK, "en", NOW))
    assert expected in message.title
    assert "UTC" not in message.title + message.text + message.html


@pytest.mark.parametrize(
    ("name", "expected"), [("de", True), ("pt-BR", True), ("pt_BR", True), ("xx", False), ("", False)]
)
def test_a_locale_is_one_that_is_known(name: str, expected: bool) -> None:
    assert is_locale(name) is expected
