"""All tables, by subject."""

from models.base import Base
from models.catalogue import Channel, Game, GameExternalId, Organization
from models.credentials import Credential
from models.drops import (
    AllowedChannel,
    CampaignDeadline,
    ChatBadge,
    DropBenefit,
    DropBenefitEdge,
    DropCampaign,
    Reward,
    RewardCampaign,
    TimeBasedDrop,
)
from models.flow import Event, Feed, FetchRun, Heartbeat, HeldChange, Picture, QuarantinedPayload, Sighting, Source
from models.igdb import (
    ExternalGame,
    GameList,
    GameListEntry,
    GameMetadata,
    GameTitle,
    Platform,
    ReleaseDate,
    WantedGame,
)
from models.people import DropProgress, Person, Settled
from models.streams import EventSubMessage, Follow, StreamSegment, StreamSession, StreamSnapshot, Video
from models.telling import Delivery, DeliveryState, Mute, Subscription, SubscriptionKey, Target, Wake

__all__ = [
    "AllowedChannel",
    "Base",
    "CampaignDeadline",
    "Channel",
    "ChatBadge",
    "Credential",
    "Delivery",
    "DeliveryState",
    "DropBenefit",
    "DropBenefitEdge",
    "DropCampaign",
    "DropProgress",
    "Event",
    "EventSubMessage",
    "ExternalGame",
    "Feed",
    "FetchRun",
    "Follow",
    "Game",
    "GameExternalId",
    "GameList",
    "GameListEntry",
    "GameMetadata",
    "GameTitle",
    "Heartbeat",
    "HeldChange",
    "Mute",
    "Organization",
    "Person",
    "Picture",
    "Platform",
    "QuarantinedPayload",
    "ReleaseDate",
    "Reward",
    "RewardCampaign",
    "Settled",
    "Sighting",
    "Source",
    "StreamSegment",
    "StreamSession",
    "StreamSnapshot",
    "Subscription",
    "SubscriptionKey",
    "Target",
    "TimeBasedDrop",
    "Video",
    "Wake",
    "WantedGame",
]
