"""Reward campaigns: what brands give for watching, or for subscriptions."""

from datetime import datetime

from sqlalchemy import Connection

from models.errors import UnknownThing
from pipeline.drops.listing import rewards
from pipeline.drops.listing.rewards import RewardCampaignAnswer, RewardFilter


def list_rewards(
    connection: Connection, wanted: RewardFilter, now: datetime, *, before: int | None = None, limit: int | None = None
) -> list[RewardCampaignAnswer]:
    """Return reward campaigns, those that became known last first, behind the one with the id `before`."""
    return rewards.list_rewards(connection, wanted, now, before=before, limit=limit)


def show_reward(connection: Connection, written: str, now: datetime) -> RewardCampaignAnswer:
    """Return the one with a number, or with an id of its service; raises `UnknownThing` where there is none."""
    reward = rewards.find_reward(connection, written, now)
    if reward is None:
        raise UnknownThing(
            f"there is no reward campaign with the number or the id {written!r}; `lootwire rewards` lists them"
        )
    return reward
