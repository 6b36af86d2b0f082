"""Libraries: works, entries, what people say of them, imports, and lists that can be ranked and changed."""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_TABLES = (
    *("library_accounts", "list_activities", "person_works", "play_sessions", "playthroughs", "game_states"),
    *("library_entries", "title_decisions", "import_lines", "imports"),
)


def upgrade() -> None:
    _add_works()
    _add_imports()
    _add_libraries()
    _change_lists()
    op.add_column("people", sa.Column("platforms", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("events", sa.Column("person_id", sa.BigInteger(), nullable=True))
    op.add_column("events", sa.Column("is_private", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_foreign_key(op.f("fk_events_person_id_people"), "events", "people", ["person_id"], ["id"])
    op.create_index(
        "ix_events_person_id",
        "events",
        ["person_id", "id"],
        unique=False,
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )


def _add_works() -> None:
    op.create_table(
        "works",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("root_igdb_id", sa.BigInteger(), nullable=True),
        sa.Column("parent_work_id", sa.BigInteger(), nullable=True),
        sa.Column("relation", sa.Text(), nullable=True),
        sa.Column("series", sa.Text(), nullable=True),
        sa.Column("how", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["parent_work_id"], ["works.id"], name=op.f("fk_works_parent_work_id_works")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_works")),
        sa.UniqueConstraint("root_igdb_id", name=op.f("uq_works_root_igdb_id")),
    )
    op.create_index("ix_works_name_key", "works", ["name_key"], unique=False)
    op.create_index("ix_works_parent_work_id", "works", ["parent_work_id"], unique=False)
    op.add_column("games", sa.Column("work_id", sa.BigInteger(), nullable=True))
    op.add_column("games", sa.Column("work_pinned_at", _TIME, nullable=True))
    op.create_foreign_key(op.f("fk_games_work_id_works"), "games", "works", ["work_id"], ["id"])
    op.create_index(
        "ix_games_work_id", "games", ["work_id"], unique=False, postgresql_where=sa.text("work_id IS NOT NULL")
    )


def _add_imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME, nullable=True),
        sa.Column("counts", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_imports_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("person_id", "digest", name=op.f("uq_imports_person_id_digest")),
    )
    op.create_table(
        "import_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("written", sa.Text(), nullable=False),
        sa.Column("record", postgresql.JSONB(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("score", postgresql.REAL(), nullable=True),
        sa.Column("choices", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("settled_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_import_lines_import_id_imports")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_lines")),
        sa.UniqueConstraint("import_id", "line", name=op.f("uq_import_lines_import_id_line")),
    )
    op.create_index(
        "ix_import_lines_open",
        "import_lines",
        ["import_id"],
        unique=False,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_table(
        "title_decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("store", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("external_id", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("name_key", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("platform_key", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("year", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("igdb_id", sa.BigInteger(), nullable=True),
        sa.Column("game_id", sa.BigInteger(), nullable=True),
        sa.Column("made_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["game_id"], ["games.id"], name=op.f("fk_title_decisions_game_id_games")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_title_decisions_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_title_decisions")),
        sa.UniqueConstraint(
            "person_id",
            "store",
            "external_id",
            "name_key",
            "platform_key",
            "year",
            name=op.f("uq_title_decisions_person_id_store_external_id_name_key_platform_key_year"),
        ),
    )


def _add_libraries() -> None:
    op.create_table(
        "library_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("game_id", sa.BigInteger(), nullable=False),
        sa.Column("igdb_id", sa.BigInteger(), nullable=True),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("ownership", sa.Text(), nullable=False),
        sa.Column("acquired_on", sa.Date(), nullable=True),
        sa.Column("playtime_seconds", sa.BigInteger(), nullable=True),
        sa.Column("last_played_at", _TIME, nullable=True),
        sa.Column("first_seen_at", _TIME, nullable=False),
        sa.Column("last_seen_at", _TIME, nullable=True),
        sa.Column("absences", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("hidden_at", _TIME, nullable=True),
        sa.Column("removed_at", _TIME, nullable=True),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("import_line", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["game_id"], ["games.id"], name=op.f("fk_library_entries_game_id_games")),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_library_entries_import_id_imports")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_library_entries_person_id_people")),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_library_entries_source_id_sources")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_entries")),
        sa.UniqueConstraint(
            "person_id",
            "store",
            "external_id",
            "platform",
            name=op.f("uq_library_entries_person_id_store_external_id_platform"),
        ),
    )
    op.create_index("ix_library_entries_game_id", "library_entries", ["game_id"], unique=False)
    op.create_index("ix_library_entries_source_id", "library_entries", ["source_id"], unique=False)
    op.create_table(
        "game_states",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("work_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("rating", postgresql.REAL(), nullable=True),
        sa.Column("rating_scale", sa.Integer(), nullable=True),
        sa.Column("is_favourite", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("genres", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("cover_url", sa.Text(), nullable=True),
        sa.Column("series", sa.Text(), nullable=True),
        sa.Column("set_by", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_game_states_person_id_people")),
        sa.ForeignKeyConstraint(["work_id"], ["works.id"], name=op.f("fk_game_states_work_id_works")),
        sa.PrimaryKeyConstraint("person_id", "work_id", name=op.f("pk_game_states")),
    )
    op.create_index("ix_game_states_work_id", "game_states", ["work_id"], unique=False)
    op.create_table(
        "playthroughs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("game_id", sa.BigInteger(), nullable=False),
        sa.Column("igdb_id", sa.BigInteger(), nullable=True),
        sa.Column("platform", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("completion", sa.Text(), nullable=True),
        sa.Column("started", sa.Text(), nullable=True),
        sa.Column("finished", sa.Text(), nullable=True),
        sa.Column("seconds", sa.BigInteger(), nullable=True),
        sa.Column("rating", postgresql.REAL(), nullable=True),
        sa.Column("rating_scale", sa.Integer(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("is_replay", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("import_key", sa.Text(), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("edited_at", _TIME, nullable=True),
        sa.Column("removed_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["game_id"], ["games.id"], name=op.f("fk_playthroughs_game_id_games")),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_playthroughs_import_id_imports")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_playthroughs_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playthroughs")),
        sa.UniqueConstraint("person_id", "import_key", name=op.f("uq_playthroughs_person_id_import_key")),
    )
    op.create_index("ix_playthroughs_game_id", "playthroughs", ["game_id"], unique=False)
    op.create_table(
        "play_sessions",
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("until_at", _TIME, nullable=False),
        sa.Column("since_at", _TIME, nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["library_entries.id"], name=op.f("fk_play_sessions_entry_id_library_entries")
        ),
        sa.PrimaryKeyConstraint("entry_id", "until_at", name=op.f("pk_play_sessions")),
    )
    op.create_table(
        "person_works",
        sa.Column("work_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("words", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("stores", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("platforms", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=True),
        sa.Column("last_played_at", _TIME, nullable=True),
        sa.Column("changes_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_person_works_person_id_people")),
        sa.ForeignKeyConstraint(["work_id"], ["works.id"], name=op.f("fk_person_works_work_id_works")),
        sa.PrimaryKeyConstraint("work_id", "person_id", name=op.f("pk_person_works")),
    )
    op.create_index(
        "ix_person_works_changes_at",
        "person_works",
        ["changes_at"],
        unique=False,
        postgresql_where=sa.text("changes_at IS NOT NULL"),
    )
    op.create_index("ix_person_works_person_id", "person_works", ["person_id"], unique=False)
    op.create_table(
        "library_accounts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("key_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("next_due_at", _TIME, nullable=False),
        sa.Column("asked_at", _TIME, nullable=True),
        sa.Column("answered_at", _TIME, nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("played_at", _TIME, nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("problem_since", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_library_accounts_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_accounts")),
        sa.UniqueConstraint(
            "person_id", "service", "external_id", name=op.f("uq_library_accounts_person_id_service_external_id")
        ),
    )
    op.create_index("ix_library_accounts_next_due_at", "library_accounts", ["next_due_at"], unique=False)


def _change_lists() -> None:
    op.add_column("game_lists", sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False))
    op.add_column("game_lists", sa.Column("slug", sa.Text(), nullable=True))
    op.add_column("game_lists", sa.Column("description", sa.Text(), nullable=True))
    op.add_column("game_lists", sa.Column("ranked", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("game_lists", sa.Column("wants", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    _name_lists()
    op.alter_column("game_lists", "slug", nullable=False)
    op.create_foreign_key(op.f("fk_game_lists_person_id_people"), "game_lists", "people", ["person_id"], ["id"])
    op.drop_constraint("uq_game_lists_name", "game_lists", type_="unique")
    for name in ("name", "slug"):
        op.create_unique_constraint(op.f(f"uq_game_lists_person_id_{name}"), "game_lists", ["person_id", name])
    op.drop_constraint("pk_game_list_entries", "game_list_entries", type_="primary")
    op.add_column("game_list_entries", sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False))
    op.create_primary_key(op.f("pk_game_list_entries"), "game_list_entries", ["id"])
    op.create_unique_constraint(
        op.f("uq_game_list_entries_list_id_position"),
        "game_list_entries",
        ["list_id", "position"],
        deferrable=True,
        initially="DEFERRED",
    )
    op.add_column("game_list_entries", sa.Column("work_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_game_list_entries_work_id_works"), "game_list_entries", "works", ["work_id"], ["id"])
    op.create_index(op.f("ix_game_list_entries_work_id"), "game_list_entries", ["work_id"], unique=False)
    op.add_column("game_list_entries", sa.Column("notes", sa.Text(), nullable=True))
    op.add_column("game_list_entries", sa.Column("added_at", _TIME, server_default=sa.text("now()"), nullable=False))
    op.create_table(
        "list_activities",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.Column("told_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["list_id"], ["game_lists.id"], name=op.f("fk_list_activities_list_id_game_lists"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_activities")),
    )
    op.create_index("ix_list_activities_list_id", "list_activities", ["list_id"], unique=False)
    op.create_index(
        "ix_list_activities_untold",
        "list_activities",
        ["at"],
        unique=False,
        postgresql_where=sa.text("told_at IS NULL"),
    )


def _name_lists() -> None:
    """Give each list a slug that no other has: its name's, with its number where two share one."""
    connection = op.get_bind()
    known: set[str] = set()
    for row in connection.execute(sa.text("SELECT id, name FROM game_lists ORDER BY id")).all():
        plain = unicodedata.normalize("NFKD", row.name).encode("ascii", "ignore").decode().lower()
        slug = re.sub("[^a-z0-9]+", "-", plain).strip("-")[:60].rstrip("-") or "list"
        slug = slug if slug not in known else f"{slug}-{row.id}"
        known.add(slug)
        connection.execute(sa.text("UPDATE game_lists SET slug = :slug WHERE id = :id"), {"slug": slug, "id": row.id})


def downgrade() -> None:
    # The older program would publish what is private, and call every kind of event by its name.
    op.execute(
        "DELETE FROM deliveries USING events WHERE events.id = event_id AND (is_private OR events.person_id > 0)"
    )
    op.execute(
        "DELETE FROM feed_items USING events WHERE events.id = event_id AND (is_private OR events.person_id > 0)"
    )
    op.execute(
        "DELETE FROM unpublished USING events WHERE events.id = event_id AND (is_private OR events.person_id > 0)"
    )
    for table in ("deliveries", "feed_items", "unpublished"):
        op.execute(
            f"DELETE FROM {table} USING events WHERE events.id = event_id AND (is_private OR events.person_id > 0)"  # noqa: S608 - a name of ours
        )
    op.execute("DELETE FROM events WHERE is_private OR person_id > 0")
    op.drop_column("events", "is_private")
    op.drop_column("events", "person_id")
    op.drop_column("people", "platforms")
    for name in ("added_at", "notes", "work_id"):
        op.drop_column("game_list_entries", name)
    op.drop_constraint("uq_game_list_entries_list_id_position", "game_list_entries", type_="unique")
    op.drop_column("game_list_entries", "id")
    op.create_primary_key(op.f("pk_game_list_entries"), "game_list_entries", ["list_id", "position"])
    op.create_unique_constraint(op.f("uq_game_lists_name"), "game_lists", ["name"])
    for table in _TABLES:
        op.drop_table(table)
    for name in ("wants", "ranked", "description", "slug", "person_id"):
        op.drop_column("game_lists", name)
    op.drop_column("games", "work_pinned_at")
    op.drop_column("games", "work_id")
    op.drop_table("works")
