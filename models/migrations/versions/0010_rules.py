"""Rules: people, conditions with their keys, settings of targets, mutes, what is held, what somebody has already."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
# Of the conditions that there were: what keys call them, the narrowest first.
_NARROW = (
    ("channel", "channels", "channel_key"),
    ("game", "games", "game_key"),
    ("organization", "organizations", "organization_key"),
    ("service", "services", "service"),
)


def upgrade() -> None:
    _add_people()
    _add_to_targets()
    _turn_subscriptions_into_conditions()
    op.add_column("deliveries", sa.Column("held_for", sa.Text(), nullable=True))


def _add_people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("name", name=op.f("uq_people_name")),
    )
    op.execute("INSERT INTO people (name, created_at) VALUES ('owner', now())")
    for table in ("targets", "follows"):
        op.add_column(table, _person())
        op.add_column(table, sa.Column("origin", sa.Text(), nullable=True))
        op.create_foreign_key(op.f(f"fk_{table}_person_id_people"), table, "people", ["person_id"], ["id"])
    op.drop_constraint("uq_follows_kind_channel_id_game_id", "follows", type_="unique")
    op.create_unique_constraint(
        op.f("uq_follows_person_id_kind_channel_id_game_id"),
        "follows",
        ["person_id", "kind", "channel_id", "game_id"],
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "settled",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _person(),
        sa.Column("target_id", sa.BigInteger(), nullable=True),
        sa.Column("benefit_id", sa.BigInteger(), nullable=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("game_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(benefit_id, campaign_id, game_id) = 1", name=op.f("ck_settled_about_one_thing")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_settled_person_id_people")),
        sa.ForeignKeyConstraint(
            ["target_id"], ["targets.id"], name=op.f("fk_settled_target_id_targets"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["benefit_id"], ["drop_benefits.id"], name=op.f("fk_settled_benefit_id_drop_benefits")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["drop_campaigns.id"], name=op.f("fk_settled_campaign_id_drop_campaigns")
        ),
        sa.ForeignKeyConstraint(["game_id"], ["games.id"], name=op.f("fk_settled_game_id_games")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settled")),
        sa.UniqueConstraint(
            "person_id",
            "target_id",
            "benefit_id",
            "campaign_id",
            "game_id",
            name=op.f("uq_settled_person_id_target_id_benefit_id_campaign_id_game_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    for column in ("benefit_id", "campaign_id", "game_id"):
        op.create_index(op.f(f"ix_settled_{column}"), "settled", [column], unique=False)
    op.create_table(
        "drop_progress",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("drop_id", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("claimed_at", _TIME, nullable=True),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_drop_progress_person_id_people")),
        sa.ForeignKeyConstraint(
            ["drop_id"], ["time_based_drops.id"], name=op.f("fk_drop_progress_drop_id_time_based_drops")
        ),
        sa.PrimaryKeyConstraint("person_id", "drop_id", name=op.f("pk_drop_progress")),
    )


def _person() -> "sa.Column[int]":
    return sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False)


def _add_to_targets() -> None:
    settings = sa.Column(
        "settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
    )
    op.add_column("targets", settings)
    op.add_column("targets", sa.Column("role", sa.Text(), nullable=True))
    op.create_table(
        "mutes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("game", sa.Text(), nullable=True),
        sa.Column("game_key", sa.Text(), nullable=True),
        sa.Column("until", _TIME, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["target_id"], ["targets.id"], name=op.f("fk_mutes_target_id_targets"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mutes")),
        sa.UniqueConstraint(
            "target_id", "game_key", name=op.f("uq_mutes_target_id_game_key"), postgresql_nulls_not_distinct=True
        ),
    )


def _turn_subscriptions_into_conditions() -> None:
    conditions = sa.Column(
        "conditions", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
    )
    op.add_column("subscriptions", conditions)
    op.add_column("subscriptions", sa.Column("name", sa.Text(), nullable=True))
    op.add_column("subscriptions", sa.Column("is_exact", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.add_column("subscriptions", sa.Column("origin", sa.Text(), nullable=True))
    op.create_table(
        "subscription_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_subscription_keys_subscription_id_subscriptions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", "subscription_id", name=op.f("pk_subscription_keys")),
    )
    op.create_index(
        op.f("ix_subscription_keys_subscription_id"), "subscription_keys", ["subscription_id"], unique=False
    )
    _convert_subscriptions()
    op.alter_column("subscriptions", "name", nullable=False)
    op.alter_column("subscriptions", "is_exact", server_default=None)
    op.create_unique_constraint(op.f("uq_subscriptions_name"), "subscriptions", ["name"])
    for column in (
        "kinds",
        "service",
        "game",
        "game_key",
        "organization",
        "organization_key",
        "channel",
        "channel_key",
    ):
        op.drop_column("subscriptions", column)


def _convert_subscriptions() -> None:
    connection = op.get_bind()
    rows = connection.execute(
        sa.text("SELECT s.*, t.name AS target FROM subscriptions s JOIN targets t ON t.id = s.target_id ORDER BY s.id")
    ).mappings()
    names: set[str] = set()
    for row in rows.all():
        given = [(name, field, row[key]) for name, field, key in _NARROW if row[name]]
        written: dict[str, Any] = {field: [row[name]] for name, field, _ in given}
        written |= {"kinds": row["kinds"]} if row["kinds"] else {}
        name = _named(row, [row[name] for name, _, _ in given], names)
        names.add(name)
        connection.execute(
            sa.text(
                "UPDATE subscriptions SET conditions = CAST(:written AS jsonb), name = :name, is_exact = :exact "
                "WHERE id = :id"
            ),
            {"written": json.dumps(written), "name": name, "exact": len(given) < 2, "id": row["id"]},
        )
        narrowest, _, value = given[0] if given else ("", "", "")
        for kind in row["kinds"] or ["*"]:
            connection.execute(
                sa.text(
                    "INSERT INTO subscription_keys (key, subscription_id) VALUES (:key, :id) ON CONFLICT DO NOTHING"
                ),
                {"key": f"{kind}|{narrowest}|{value}", "id": row["id"]},
            )


def _named(row: Any, values: list[str], taken: set[str]) -> str:
    """Return a name that says what a subscription is about, and that no other has."""
    about = ", ".join(values)
    name = f"{row['target']}: {', '.join(row['kinds'] or ['everything'])}{f' of {about}' if about else ''}"
    return name if name not in taken else f"{name} ({row['id']})"


def downgrade() -> None:
    for column in ("service", "game", "game_key", "organization", "organization_key", "channel", "channel_key"):
        op.add_column("subscriptions", sa.Column(column, sa.Text(), nullable=True))
    op.add_column("subscriptions", sa.Column("kinds", postgresql.ARRAY(sa.Text()), nullable=True))
    # What the version before cannot say would become a wish for everything.
    op.execute("DELETE FROM subscriptions WHERE conditions <> '{}'")
    op.drop_constraint(op.f("uq_subscriptions_name"), "subscriptions", type_="unique")
    for column in ("conditions", "name", "is_exact", "origin"):
        op.drop_column("subscriptions", column)
    op.drop_table("subscription_keys")
    op.execute("UPDATE deliveries SET state = 'dead' WHERE state = 'dropped'")
    op.drop_column("deliveries", "held_for")
    op.drop_table("mutes")
    op.drop_column("targets", "settings")
    op.drop_column("targets", "role")
    op.drop_table("drop_progress")
    op.drop_table("settled")
    op.drop_constraint(op.f("uq_follows_person_id_kind_channel_id_game_id"), "follows", type_="unique")
    op.execute("DELETE FROM follows WHERE person_id <> 1")
    op.create_unique_constraint(
        op.f("uq_follows_kind_channel_id_game_id"),
        "follows",
        ["kind", "channel_id", "game_id"],
        postgresql_nulls_not_distinct=True,
    )
    for table in ("targets", "follows"):
        op.drop_constraint(op.f(f"fk_{table}_person_id_people"), table, type_="foreignkey")
        op.drop_column(table, "origin")
        op.drop_column(table, "person_id")
    op.drop_table("people")
