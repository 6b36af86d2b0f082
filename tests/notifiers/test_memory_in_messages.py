"""Messages that mention an earlier campaign or a late warning."""

from datetime import UTC, datetime

from models.details import CampaignDetail, SeenBefore
from notifiers.render import render_message
from notifiers.view import EventText

NOON = datetime(2031, 3, 4, 12, tzinfo=UTC)


def message_text(kind: str, detail: CampaignDetail) -> str:
    event = EventText(kind=kind, title="A title", occurred_at=NOON, service="twitch", detail=detail)
    return render_message([event]).text


def test_a_new_campaign_says_when_its_reward_was_on_offer_before() -> None:
    line = SeenBefore(benefit="Salt Hat", campaign="Spring Tide", until=NOON)
    text = message_text("campaign.added", CampaignDetail(name="Autumn Tide", seen_before=(line,)))
    assert "Salt Hat, in Spring Tide until" in text


def test_a_warning_that_comes_late_says_so() -> None:
    detail = CampaignDetail(name="Autumn Tide", end_at=NOON, late=True)
    assert "nothing ran" in message_text("campaign.ending_soon", detail)
    assert "nothing ran" not in message_text("campaign.ending_soon", CampaignDetail(name="Autumn Tide", end_at=NOON))
