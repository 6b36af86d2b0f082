"""Drop campaigns with their drops, benefits and channels, and reward campaigns.

The names follow Twitch's own (DropCampaign, TimeBasedDrop, DropBenefit, RewardCampaign); other services'
campaigns are kept in the same terms.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class DropCampaign(Base):
    """A campaign on one service (`twitch`, `kick`, `chzzk`), unique by service and external id.

    Three times give its state: `started_at` (null while it is upcoming), `ended_at` and `withdrawn_at` (gone before
    its end). A row with neither of the last two is open. `last_seen_at` is null while a source lists it.
    """

    __tablename__ = "drop_campaigns"
    __table_args__ = (
        UniqueConstraint("service", "external_id"),
        Index(
            "ix_drop_campaigns_open",
            "end_at",
            postgresql_where=text("ended_at IS NULL AND withdrawn_at IS NULL"),
        ),
        Index(None, "game_id"),
        Index(None, "organization_id"),
    )

    id: Mapped[BigId]
    service: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None]
    details_url: Mapped[str | None]
    account_link_url: Mapped[str | None]
    image_url: Mapped[str | None]
    start_at: Mapped[datetime | None]
    end_at: Mapped[datetime | None]
    organization_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("organizations.id"))
    game_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("games.id"))
    # Whether a source has said which channels count, which may be all; false while none has said anything of them.
    channels_known: Mapped[bool] = mapped_column(server_default=text("true"))
    # The rules by which its deadlines were reckoned (`pipeline/drops/deadlines.py`); others have them set anew.
    deadlines_version: Mapped[int] = mapped_column(server_default=text("0"))
    # How many snapshots in a row listed no channels after some had been listed; believed at the third.
    channels_empty_count: Mapped[int] = mapped_column(server_default=text("0"))
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class TimeBasedDrop(Base):
    """One step of a campaign: watch so many minutes, or give so many subscriptions, get its benefits."""

    __tablename__ = "time_based_drops"
    __table_args__ = (UniqueConstraint("campaign_id", "external_id"),)

    id: Mapped[BigId]
    campaign_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("drop_campaigns.id"))
    external_id: Mapped[str]
    name: Mapped[str | None]
    required_minutes: Mapped[int | None]
    required_subs: Mapped[int | None]
    required_turbo_subs: Mapped[int | None]
    precondition_drop_ids: Mapped[list[str] | None]
    start_at: Mapped[datetime | None]
    end_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]


class DropBenefit(Base):
    """What a drop gives: an item, a badge, an emote, a code. One benefit may hang on several drops."""

    __tablename__ = "drop_benefits"
    __table_args__ = (UniqueConstraint("service", "external_id"),)

    id: Mapped[BigId]
    service: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str | None]
    image_url: Mapped[str | None]
    distribution_type: Mapped[str | None]
    is_ios_available: Mapped[bool | None]
    created_at: Mapped[datetime | None]


class DropBenefitEdge(Base):
    """Which drop gives which benefit, and how often one account may have it."""

    __tablename__ = "drop_benefit_edges"
    __table_args__ = (Index(None, "benefit_id"),)

    drop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("time_based_drops.id"), primary_key=True)
    benefit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("drop_benefits.id"), primary_key=True)
    entitlement_limit: Mapped[int | None]
    last_seen_at: Mapped[datetime | None]


class AllowedChannel(Base):
    """A channel that a campaign names; `last_seen_at` is null while it is named."""

    __tablename__ = "allowed_channels"
    __table_args__ = (Index(None, "channel_id"),)

    campaign_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("drop_campaigns.id"), primary_key=True)
    channel_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("channels.id"), primary_key=True)
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]


class CampaignDeadline(Base):
    """A moment before a campaign's end that is worth a message; the row goes once its event is appended or pointless.

    `kind` is `ending_soon:24h`, `ending_soon:3h` or `last_chance`; the last chance of drops that end earlier than their
    campaign is `last_chance:` and that end, in ISO 8601.
    """

    __tablename__ = "campaign_deadlines"
    __table_args__ = (Index(None, "due_at"),)

    campaign_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("drop_campaigns.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]


class RewardCampaign(Base):
    """A "quest": a brand's rewards for minutes watched or subscriptions given anywhere or in one game."""

    __tablename__ = "reward_campaigns"
    __table_args__ = (
        UniqueConstraint("service", "external_id"),
        Index("ix_reward_campaigns_open", "end_at", postgresql_where=text("ended_at IS NULL")),
        Index(None, "game_id"),
    )

    id: Mapped[BigId]
    service: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str]
    brand: Mapped[str | None]
    summary: Mapped[str | None]
    instructions: Mapped[str | None]
    about_url: Mapped[str | None]
    external_url: Mapped[str | None]
    image_url: Mapped[str | None]
    is_sitewide: Mapped[bool | None]
    required_minutes: Mapped[int | None]
    required_subs: Mapped[int | None]
    required_turbo_subs: Mapped[int | None]
    start_at: Mapped[datetime | None]
    end_at: Mapped[datetime | None]
    game_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("games.id"))
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class ChatBadge(Base):
    """A global chat badge of Twitch: one version of a set; its external id is `set/version`."""

    __tablename__ = "chat_badges"
    __table_args__ = (UniqueConstraint("service", "external_id"),)

    id: Mapped[BigId]
    service: Mapped[str]
    external_id: Mapped[str]
    title: Mapped[str]
    description: Mapped[str | None]
    image_url: Mapped[str | None]
    click_url: Mapped[str | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]


class Reward(Base):
    """One thing that a reward campaign gives; what it asks for is its own where the campaign has groups of rewards."""

    __tablename__ = "rewards"
    __table_args__ = (UniqueConstraint("reward_campaign_id", "external_id"),)

    id: Mapped[BigId]
    reward_campaign_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("reward_campaigns.id"))
    external_id: Mapped[str]
    name: Mapped[str]
    image_url: Mapped[str | None]
    required_minutes: Mapped[int | None]
    required_subs: Mapped[int | None]
    required_turbo_subs: Mapped[int | None]
    earnable_until: Mapped[datetime | None]
    redemption_url: Mapped[str | None]
    redemption_instructions: Mapped[str | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
