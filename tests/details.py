"""What an event row says, as the struct of its family."""

from typing import Any

from models.details import CampaignDetail, ReleaseDetail, detail_from_json


def campaign_detail(event: Any) -> CampaignDetail:
    """Return the detail of an event of a campaign, a reward or a badge."""
    detail = detail_from_json(event.kind, event.detail)
    assert isinstance(detail, CampaignDetail)
    return detail


def release_detail(event: Any) -> ReleaseDetail:
    """Return the detail of an event of a release date or a game."""
    detail = detail_from_json(event.kind, event.detail)
    assert isinstance(detail, ReleaseDetail)
    return detail
