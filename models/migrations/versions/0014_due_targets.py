"""Due targets by an index: when to look at a target, whether it is quick, and what wakes it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
# Whoever changes a delivery, a person at a prompt too, has its target looked at: rows alone say what is due.
_WAKING = """
CREATE FUNCTION wake_targets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO wakes (target_id, at) SELECT target_id, min(next_attempt_at) FROM added GROUP BY target_id;
    RETURN NULL;
END $$;
CREATE FUNCTION wake_target_of_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO wakes (target_id, at) VALUES (NEW.target_id, NEW.next_attempt_at);
    RETURN NULL;
END $$;
CREATE FUNCTION wake_rested_target() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO wakes (target_id, at) VALUES (NEW.id, coalesce(NEW.rests_until, OLD.rests_until, OLD.broken_until));
    RETURN NULL;
END $$;
CREATE TRIGGER wake_of_new AFTER INSERT ON deliveries REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION wake_targets();
CREATE TRIGGER wake_of_sooner AFTER UPDATE ON deliveries FOR EACH ROW
    WHEN (NEW.state = 'pending' AND (NEW.next_attempt_at < OLD.next_attempt_at
            OR OLD.state NOT IN ('pending', 'sending')
            OR OLD.state = 'sending' AND NEW.next_attempt_at <= OLD.next_attempt_at)
        OR NEW.state = 'sending' AND NEW.lease_until < OLD.lease_until)
    EXECUTE FUNCTION wake_target_of_delivery();
CREATE TRIGGER wake_of_rested AFTER UPDATE ON targets FOR EACH ROW
    WHEN (OLD.rests_until IS NOT NULL AND (NEW.rests_until IS NULL OR NEW.rests_until < OLD.rests_until)
        OR OLD.broken_until IS NOT NULL AND NEW.broken_until IS NULL)
    EXECUTE FUNCTION wake_rested_target();
"""
_SLEEPING = """
DROP TRIGGER wake_of_rested ON targets;
DROP TRIGGER wake_of_sooner ON deliveries;
DROP TRIGGER wake_of_new ON deliveries;
DROP FUNCTION wake_rested_target, wake_target_of_delivery, wake_targets;
"""


def upgrade() -> None:
    op.create_table(
        "wakes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wakes")),
    )
    op.add_column("targets", sa.Column("due_at", _TIME, nullable=True))
    op.add_column("targets", sa.Column("looked_at", _TIME, nullable=True))
    op.add_column("targets", sa.Column("is_quick", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("targets", sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("targets", sa.Column("broken_until", _TIME, nullable=True))
    _fill()
    op.create_index(
        "ix_targets_due",
        "targets",
        ["is_quick", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("disabled_at IS NULL"),
    )
    op.create_index(op.f("ix_targets_looked_at"), "targets", ["looked_at"], unique=False)
    op.drop_index("ix_deliveries_due", table_name="deliveries")
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["target_id", "next_attempt_at", "attempts", "event_id"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_deliveries_failed",
        "deliveries",
        ["target_id"],
        unique=False,
        postgresql_where=sa.text("state = 'pending' AND attempts > 0"),
    )
    op.create_index(
        "ix_deliveries_sending",
        "deliveries",
        ["target_id"],
        unique=False,
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.execute(_WAKING)


def _fill() -> None:
    """Have what worked go on working, all that waits looked at, and quick targets known as before."""
    op.execute("""UPDATE targets SET settings = settings || '{"private": true}'""")
    op.execute(
        "INSERT INTO wakes (target_id, at) SELECT target_id, min(next_attempt_at) FROM deliveries "
        "WHERE state IN ('pending', 'sending') GROUP BY target_id"
    )
    op.execute(
        "UPDATE targets SET is_quick = true WHERE EXISTS (SELECT FROM deliveries d WHERE d.target_id = targets.id "
        "AND d.state = 'sent') AND NOT EXISTS (SELECT FROM deliveries d WHERE d.target_id = targets.id "
        "AND d.state IN ('pending', 'sending') AND d.attempts > 0)"
    )


def downgrade() -> None:
    op.execute(_SLEEPING)
    for name in ("ix_deliveries_sending", "ix_deliveries_failed", "ix_deliveries_due"):
        op.drop_index(name, table_name="deliveries")
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["target_id", "next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'sending')"),
    )
    op.drop_index("ix_targets_due", table_name="targets")
    op.drop_index(op.f("ix_targets_looked_at"), table_name="targets")
    for column in ("due_at", "looked_at", "is_quick", "failures", "broken_until"):
        op.drop_column("targets", column)
    op.drop_table("wakes")
    op.execute("UPDATE targets SET settings = settings - 'private'")
