"""What people may use up: plans, balances, and the ledger that says where each credit went."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class Plan(Base):
    """So many credits a period, up to a ceiling; what actions cost, and gauges that nothing may exceed.

    `period` is `day`, `week` or `month`. `prices` are credits by action (`extraction` for each started 10 minutes,
    `play`, `message` beyond `messages_per_day`), `gauges` limits by name (`sound_mb`, `targets`, `subscriptions`,
    `follows`, `requests_per_minute`, `messages_per_day`); what is not named is free, and has no limit.
    """

    __tablename__ = "plans"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("credits >= 0 AND ceiling >= credits", name="credits"),
    )

    id: Mapped[BigId]
    name: Mapped[str]
    credits: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    period: Mapped[str] = mapped_column(server_default=text("'month'"))
    ceiling: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    prices: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    gauges: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime]


class Balance(Base):
    """A person's credits, which whoever changes them locks; `next_due_at` is when more come, null without a plan.

    `low_told_at` is when the person was told that few are left; null since more came. `messages` were begun on the day
    (of UTC) that began at `messages_since`, counted where the plan asks.
    """

    __tablename__ = "balances"
    __table_args__ = (
        CheckConstraint("credits >= 0", name="not_negative"),
        Index("ix_balances_due", "next_due_at", postgresql_where=text("next_due_at IS NOT NULL")),
    )

    person_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    credits: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    next_due_at: Mapped[datetime | None]
    low_told_at: Mapped[datetime | None]
    messages: Mapped[int] = mapped_column(server_default=text("0"))
    messages_since: Mapped[datetime | None]


class LedgerEntry(Base):
    """Credits that a person was given (`amount` above zero) or that an action took; append-only by a trigger.

    `reference` says what it was for (`extraction:12`), once an action: so a repeated one is charged once.
    Only the whole ledger of a person who is deleted goes.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (UniqueConstraint("action", "reference"), Index(None, "person_id", "id"))

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger)
    action: Mapped[str]
    reference: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    balance_after: Mapped[int] = mapped_column(BigInteger)
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    at: Mapped[datetime]
