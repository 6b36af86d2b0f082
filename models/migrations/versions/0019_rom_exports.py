"""What exports of ROMs last wrote into a file, so that what others changed there since stays as it is."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rom_exports",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("written", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_rom_exports_person_id_people")),
        sa.PrimaryKeyConstraint("person_id", "path", name=op.f("pk_rom_exports")),
    )


def downgrade() -> None:
    op.drop_table("rom_exports")
