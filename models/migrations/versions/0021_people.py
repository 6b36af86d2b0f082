"""People who share: roles, invitations, keys, the audit log; plans, balances, the ledger; target names by person."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_JSON = postgresql.JSONB(astext_type=sa.Text())
# Nothing is changed in these tables, and nothing taken out but with the person whom it is about.
_APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF current_setting('lootwire.forgets_person', true) = OLD.person_id::text THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$
"""
_LIVE = {
    "sounds": ("uq_sounds_service_external_id", "external_id IS NOT NULL"),
    "extractions": ("uq_extractions_live", "external_id IS NOT NULL AND state NOT IN ('failed', 'cancelled')"),
}
_GUARDED = ("ledger_entries", "audit_entries")


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("credits", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("period", sa.Text(), server_default=sa.text("'month'"), nullable=False),
        sa.Column("ceiling", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("prices", _JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("gauges", _JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.CheckConstraint("credits >= 0 AND ceiling >= credits", name=op.f("ck_plans_credits")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
        sa.UniqueConstraint("name", name=op.f("uq_plans_name")),
    )
    op.add_column("people", sa.Column("role", sa.Text(), server_default=sa.text("'member'"), nullable=False))
    op.add_column("people", sa.Column("plan_id", sa.BigInteger(), nullable=True))
    op.add_column("people", sa.Column("disabled_at", _TIME, nullable=True))
    op.execute("UPDATE people SET role = 'owner' WHERE id = 1")
    op.create_foreign_key(op.f("fk_people_plan_id_plans"), "people", "plans", ["plan_id"], ["id"], ondelete="SET NULL")
    op.create_table(
        "invitations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_invitations_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitations_digest")),
    )
    op.create_index(op.f("ix_invitations_person_id"), "invitations", ["person_id"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=True),
        sa.Column("last_used_at", _TIME, nullable=True),
        sa.Column("revoked_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_api_keys_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("public_id", name=op.f("uq_api_keys_public_id")),
    )
    op.create_index(op.f("ix_api_keys_person_id"), "api_keys", ["person_id"], unique=False)
    op.create_table(
        "idempotent_answers",
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", _JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_keys.id"], name=op.f("fk_idempotent_answers_key_id_api_keys"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key_id", "name", name=op.f("pk_idempotent_answers")),
    )
    op.create_index(op.f("ix_idempotent_answers_created_at"), "idempotent_answers", ["created_at"], unique=False)
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index(op.f("ix_audit_entries_person_id_id"), "audit_entries", ["person_id", "id"], unique=False)
    op.create_table(
        "balances",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("credits", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_due_at", _TIME, nullable=True),
        sa.Column("low_told_at", _TIME, nullable=True),
        sa.Column("messages", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("messages_since", _TIME, nullable=True),
        sa.CheckConstraint("credits >= 0", name=op.f("ck_balances_not_negative")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_balances_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_balances")),
    )
    op.create_index(
        "ix_balances_due",
        "balances",
        ["next_due_at"],
        unique=False,
        postgresql_where=sa.text("next_due_at IS NOT NULL"),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("balance_after", sa.BigInteger(), nullable=False),
        sa.Column("detail", _JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint("action", "reference", name=op.f("uq_ledger_entries_action_reference")),
    )
    op.create_index(op.f("ix_ledger_entries_person_id_id"), "ledger_entries", ["person_id", "id"], unique=False)
    op.execute(_APPEND_ONLY)
    for table in _GUARDED:
        op.execute(
            f"CREATE TRIGGER {table}_stay BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_stay_all BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    # Two people may both call a target "mail".
    op.drop_index("uq_targets_name", table_name="targets")
    op.create_index(
        "uq_targets_name",
        "targets",
        ["person_id", "name"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.add_column("subscriptions", sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False))
    op.execute(
        "UPDATE subscriptions SET person_id = targets.person_id FROM targets "
        "WHERE targets.id = subscriptions.target_id AND targets.person_id <> 1"
    )
    op.create_foreign_key(op.f("fk_subscriptions_person_id_people"), "subscriptions", "people", ["person_id"], ["id"])
    op.drop_constraint("uq_subscriptions_name", "subscriptions", type_="unique")
    op.create_unique_constraint(op.f("uq_subscriptions_person_id_name"), "subscriptions", ["person_id", "name"])
    _make_sounds_a_persons_own()


def _make_sounds_a_persons_own() -> None:
    """The same bytes, and the same id of a service, are one sound of each person who wants them."""
    op.add_column("sound_folders", sa.Column("scan_wanted_at", _TIME, nullable=True))
    op.create_index(
        "ix_sound_folders_wanted",
        "sound_folders",
        ["scan_wanted_at"],
        unique=False,
        postgresql_where=sa.text("scan_wanted_at IS NOT NULL"),
    )
    op.drop_constraint("uq_sounds_sha256", "sounds", type_="unique")
    op.create_unique_constraint(op.f("uq_sounds_person_id_sha256"), "sounds", ["person_id", "sha256"])
    for table, (name, where) in _LIVE.items():
        op.drop_index(name, table_name=table)
        columns = ["person_id", "service", "external_id"]
        op.create_index(name, table, columns, unique=True, postgresql_where=sa.text(where))


def downgrade() -> None:
    for table, (name, where) in _LIVE.items():
        op.drop_index(name, table_name=table)
        op.create_index(name, table, ["service", "external_id"], unique=True, postgresql_where=sa.text(where))
    op.drop_constraint("uq_sounds_person_id_sha256", "sounds", type_="unique")
    op.create_unique_constraint(op.f("uq_sounds_sha256"), "sounds", ["sha256"])
    op.drop_index("ix_sound_folders_wanted", table_name="sound_folders")
    op.drop_column("sound_folders", "scan_wanted_at")
    op.drop_constraint("uq_subscriptions_person_id_name", "subscriptions", type_="unique")
    op.execute("DELETE FROM subscriptions WHERE person_id <> 1")
    op.create_unique_constraint(op.f("uq_subscriptions_name"), "subscriptions", ["name"])
    op.drop_column("subscriptions", "person_id")
    op.execute("DELETE FROM targets WHERE person_id <> 1")
    op.drop_index("uq_targets_name", table_name="targets")
    op.create_index("uq_targets_name", "targets", ["name"], unique=True, postgresql_where=sa.text("removed_at IS NULL"))
    for table in ("ledger_entries", "balances", "audit_entries", "idempotent_answers", "api_keys", "invitations"):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_change()")
    for column in ("disabled_at", "plan_id", "role"):
        op.drop_column("people", column)
    op.drop_table("plans")
