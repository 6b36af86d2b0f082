"""Drop campaigns: what can be earned where, until when."""

from datetime import datetime

from sqlalchemy import Connection

from models.errors import UnknownThing
from pipeline.drops.listing import campaigns
from pipeline.drops.listing.campaigns import CampaignFilter, CampaignLine, CampaignPage, ChannelOfCampaign


def list_campaigns(
    connection: Connection,
    wanted: CampaignFilter,
    now: datetime,
    *,
    before: int | None = None,
    limit: int | None = None,
) -> list[CampaignLine]:
    """Return campaigns, those that became known last first, behind the one with the id `before`."""
    return campaigns.list_campaigns(connection, wanted, now, before=before, limit=limit)


def show_campaign(connection: Connection, written: str, now: datetime) -> CampaignPage:
    """Return the campaign with a number, or with an id of its service; raises `UnknownThing` where there is none."""
    return campaigns.load_campaign(connection, _campaign(connection, written), now)


def list_channels(
    connection: Connection, written: str, *, after: int = 0, limit: int | None = None
) -> list[ChannelOfCampaign]:
    """Return the channels that a campaign names, in the order of their ids; none where every channel counts.

    Raises `UnknownThing` where there is no such campaign.
    """
    return campaigns.list_channels(connection, _campaign(connection, written), after=after, limit=limit)


def _campaign(connection: Connection, written: str) -> int:
    campaign_id = campaigns.find_campaign(connection, written)
    if campaign_id is None:
        raise UnknownThing(
            f"there is no campaign with the number or the id {written!r}; `lootwire campaigns` lists them"
        )
    return campaign_id
