"""People, and which rewards they have or want no more of."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId

# The person that every installation has; what was there before there were people is theirs.
OWNER_ID = 1


class Person(Base):
    """Somebody whom targets, follows and a library belong to; the first one is the owner of the installation.

    `platforms` are those that the person plays on, as IGDB names them. `role` is `owner`, `member` or `guest`; who is
    disabled keeps everything, hears nothing more and has no valid key.
    """

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[BigId]
    name: Mapped[str]
    platforms: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    role: Mapped[str] = mapped_column(server_default=text("'member'"))
    plan_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("plans.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Settled(Base):
    """A benefit, a campaign or a game that a person has or ignores; nothing reminds of it.

    `state` is `claimed` or `ignored`, `origin` is `person` or the service that said so. With a `target_id` it is so for
    that target alone.
    """

    __tablename__ = "settled"
    __table_args__ = (
        CheckConstraint("num_nonnulls(benefit_id, campaign_id, game_id) = 1", name="about_one_thing"),
        UniqueConstraint(
            "person_id", "target_id", "benefit_id", "campaign_id", "game_id", postgresql_nulls_not_distinct=True
        ),
        Index(None, "benefit_id"),
        Index(None, "campaign_id"),
        Index(None, "game_id"),
    )

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    target_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("targets.id", ondelete="CASCADE"))
    benefit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("drop_benefits.id"))
    campaign_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("drop_campaigns.id"))
    game_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("games.id"))
    state: Mapped[str]
    origin: Mapped[str]
    created_at: Mapped[datetime]


class AccountLink(Base):
    """Whether a person's account at a service is linked with a campaign's game, as the service tells that person."""

    __tablename__ = "account_links"
    __table_args__ = (Index(None, "campaign_id"),)

    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("drop_campaigns.id"), primary_key=True)
    is_linked: Mapped[bool]
    # When the service said so first since it last said otherwise.
    seen_at: Mapped[datetime]


class DropProgress(Base):
    """How many minutes of a drop a person has watched, as Twitch's inventory says, and when it was claimed."""

    __tablename__ = "drop_progress"

    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), primary_key=True)
    drop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("time_based_drops.id"), primary_key=True)
    minutes: Mapped[int]
    claimed_at: Mapped[datetime | None]
    seen_at: Mapped[datetime]
