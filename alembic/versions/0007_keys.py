"""Keys: a hint of each token, when it was last used, and the tokens that live on after a rotation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Columns that may be empty, and a table: nothing is rewritten."""
    op.add_column("api_keys", sa.Column("hint", TEXT))
    op.add_column("api_keys", sa.Column("rotated_at", INSTANT))
    op.add_column("api_keys", sa.Column("last_used_at", INSTANT))
    op.create_table(
        "earlier_tokens",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("key_id", sa.UUID(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="earlier_tokens_pk"),
        sa.UniqueConstraint("hash", name="earlier_tokens_hash_key"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "key_id"], ["api_keys.workspace_id", "api_keys.id"],
            name="earlier_tokens_workspace_id_key_id_fk",
        ),
    )  # fmt: skip
    op.create_index("earlier_tokens_key_idx", "earlier_tokens", ["workspace_id", "key_id"])


def downgrade() -> None:
    """Without them: tokens of before a rotation end."""
    op.drop_table("earlier_tokens")
    for column in ("last_used_at", "rotated_at", "hint"):
        op.drop_column("api_keys", column)
