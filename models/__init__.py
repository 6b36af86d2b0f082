"""The tables of Lootwire, by subject: what is known, what was seen, what happened, who is told."""

from models.base import Base
from models.catalogue import Channel, Game, GameExternalId, Organization
from models.credentials import Credential
from models.drops import (
    AllowedChannel,
    CampaignDeadline,
    DropBenefit,
    DropBenefitEdge,
    DropCampaign,
    Reward,
    RewardCampaign,
    TimeBasedDrop,
)
from models.flow import Event, Feed, FetchRun, Heartbeat, QuarantinedPayload, Sighting, Source
from models.telling import Delivery, DeliveryState, Subscription, Target

__all__ = [
    "AllowedChannel",
    "Base",
    "CampaignDeadline",
    "Channel",
    "Credential",
    "Delivery",
    "DeliveryState",
    "DropBenefit",
    "DropBenefitEdge",
    "DropCampaign",
    "Event",
    "Feed",
    "FetchRun",
    "Game",
    "GameExternalId",
    "Heartbeat",
    "Organization",
    "QuarantinedPayload",
    "Reward",
    "RewardCampaign",
    "Sighting",
    "Source",
    "Subscription",
    "Target",
    "TimeBasedDrop",
]
