"""Reads what events are about, for web hooks, which get it by the names and ids that services use."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from models import Channel, DropCampaign, Event, Game, Organization, RewardCampaign

# Made once: that costs as much as asking.
_SUBJECTS = (
    select(
        Event.id,
        Event.service.label("service"),
        Game.name.label("game"),
        Organization.name.label("organization"),
        DropCampaign.external_id.label("campaign"),
        RewardCampaign.external_id.label("reward_campaign"),
        Channel.login.label("channel"),
    )
    .outerjoin(Game, Game.id == Event.game_id)
    .outerjoin(Organization, Organization.id == Event.organization_id)
    .outerjoin(DropCampaign, DropCampaign.id == Event.campaign_id)
    .outerjoin(RewardCampaign, RewardCampaign.id == Event.reward_campaign_id)
    .outerjoin(Channel, Channel.id == Event.channel_id)
    .where(Event.id == func.any(bindparam("event_ids", type_=ARRAY(BigInteger))))
)


def load_subjects(connection: Connection, event_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """Return the subjects of events by their ids, as `lootwire events --json` names them; without what there is none.

    Games and organizations are given by name, campaigns by the service's own id, channels by login.
    """
    rows = connection.execute(_SUBJECTS, {"event_ids": list(event_ids)}).mappings()
    return {
        row["id"]: {name: value for name, value in row.items() if name != "id" and value is not None} for row in rows
    }
