"""What was held is sent only where somebody may still want it."""

from datetime import UTC, datetime, timedelta

import pytest

from models.details import CampaignDetail, EventDetail, ReleaseDetail, StreamDetail
from notifiers.timing.reconsidering import pointless

NOW = datetime(2026, 11, 30, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
RUNNING, ENDED = CampaignDetail(end_at=NOW + 3 * HOUR), CampaignDetail(end_at=NOW - HOUR)


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
            CampaignDetail(end_at=NOW + HOUR, required_minutes=90),
            False,
            "no time left",
            id="too late to earn it",
        ),
        pytest.param(
            "campaign.last_chance",
            CampaignDetail(end_at=NOW + HOUR, required_minutes=45),
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
