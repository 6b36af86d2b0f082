"""What was held is sent only where somebody may still want it."""

from datetime import UTC, datetime, timedelta

import pytest

from models.details import CampaignDetail, DropLine, EventDetail, ReleaseDetail, StreamDetail
from notifiers.timing.reconsidering import pointless
from pipeline.drops.details import drop_lines
from pipeline.drops.records import DropRecord

NOW = datetime(2026, 11, 30, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
RUNNING, ENDED = CampaignDetail(end_at=NOW + 3 * HOUR), CampaignDetail(end_at=NOW - HOUR)


def hat(minutes: int) -> tuple[DropLine, ...]:
    """The drops of a warning as versions before this one stored it, without the last moments to begin."""
    return drop_lines([DropRecord(external_id="hat", required_minutes=minutes)])


@pytest.mark.parametrize(
    ("kind", "detail", "is_over", "expected"),
    [
        pytest.param("campaign.added", RUNNING, False, None, id="a campaign that runs"),
        pytest.param("campaign.added", ENDED, False, "it had ended (2026-11-30 06:00 UTC)", id="one that has ended"),
        pytest.param("campaign.ending_soon", ENDED, False, "it had ended", id="a reminder after the end"),
        pytest.param("campaign.ended", ENDED, False, None, id="the news that it has ended"),
        pytest.param("campaign.withdrawn", ENDED, False, None, id="the news that it is gone"),
        pytest.param("campaign.added", CampaignDetail(), False, None, id="nobody knows its end"),
        pytest.param(
            "campaign.last_chance",
            CampaignDetail(end_at=NOW + 3 * HOUR, drops_end_at=NOW - HOUR),
            False,
            "it had ended",
            id="drops that ended before their campaign",
        ),
        pytest.param(
            "campaign.last_chance",
            CampaignDetail(end_at=NOW + HOUR, drops=hat(90)),
            False,
            "no time left",
            id="too late to earn it",
        ),
        pytest.param(
            "campaign.last_chance",
            CampaignDetail(end_at=NOW + HOUR, drops=hat(45)),
            False,
            None,
            id="time enough",
        ),
        pytest.param("stream.online", StreamDetail(), True, "the stream was over", id="a stream that is over"),
        pytest.param("stream.online", StreamDetail(), False, None, id="a stream that goes on"),
        pytest.param("stream.offline", StreamDetail(), True, None, id="the news that it is over"),
        pytest.param("video.published", StreamDetail(), True, None, id="a video stays"),
        pytest.param("release.out", ReleaseDetail(), False, None, id="a release"),
    ],
)
def test_what_became_pointless_says_why(kind: str, detail: EventDetail, is_over: bool, expected: str | None) -> None:
    reason = pointless(kind, detail, NOW, is_over=is_over)
    assert reason is None if expected is None else expected in (reason or "")
