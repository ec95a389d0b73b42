"""Lists: folders, favourites, the workspace's defaults, watches with who was on them; summaries read an index alone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)
LIST = ["workspace_id", "list_id"]
MEMBER = ["workspace_id", "segmentation_id", "account_id"]


def _id(name: str) -> sa.Column[object]:
    return sa.Column(name, UUID(), nullable=False)


def upgrade() -> None:
    """Two columns, four tables, one index more, and one that holds a column more."""
    op.add_column("lists", sa.Column("folder", TEXT))
    op.add_column("lists", sa.Column("used_at", INSTANT))
    op.create_table(
        "list_favourites", _id("workspace_id"), _id("user_id"), _id("list_id"),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", "list_id", name="list_favourites_pk"),
        sa.ForeignKeyConstraint(LIST, ["lists.workspace_id", "lists.id"], name="list_favourites_workspace_id_list_id_fk"),
        sa.ForeignKeyConstraint(["workspace_id", "user_id"], ["users.workspace_id", "users.id"], name="list_favourites_workspace_id_user_id_fk"),
    )  # fmt: skip
    op.create_index("list_favourites_list_idx", "list_favourites", LIST)
    op.create_table(
        "list_workspace_defaults", _id("workspace_id"), sa.Column("entity", TEXT, nullable=False), _id("list_id"),
        sa.PrimaryKeyConstraint("workspace_id", "entity", name="list_workspace_defaults_pk"),
        sa.ForeignKeyConstraint(LIST, ["lists.workspace_id", "lists.id"], name="list_workspace_defaults_workspace_id_list_id_fk"),
    )  # fmt: skip
    op.create_table(
        "list_watches", _id("workspace_id"), _id("list_id"), sa.Column("since", INSTANT, nullable=False),
        sa.Column("checked_at", INSTANT, nullable=False), sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("reason", TEXT),
        sa.PrimaryKeyConstraint("workspace_id", "list_id", name="list_watches_pk"),
        sa.ForeignKeyConstraint(LIST, ["lists.workspace_id", "lists.id"], name="list_watches_workspace_id_list_id_fk"),
    )  # fmt: skip
    op.create_table(
        "list_members", _id("workspace_id"), _id("list_id"), _id("record_id"),
        sa.Column("from_at", INSTANT, nullable=False), sa.Column("to_at", INSTANT),
        sa.Column("from_cause", TEXT, nullable=False), sa.Column("to_cause", TEXT),
        sa.PrimaryKeyConstraint("workspace_id", "list_id", "record_id", "from_at", name="list_members_pk"),
        sa.ForeignKeyConstraint(LIST, ["list_watches.workspace_id", "list_watches.list_id"], name="list_members_workspace_id_list_id_fk"),
    )  # fmt: skip
    op.create_index(
        "list_members_open_key", "list_members", [*LIST, "record_id"], unique=True, postgresql_where=sa.text("to_at IS NULL")
    )  # fmt: skip
    op.create_index("list_members_from_idx", "list_members", [*LIST, "from_at", "record_id"])
    op.create_index(
        "list_members_to_idx", "list_members", [*LIST, "to_at", "record_id"], postgresql_where=sa.text("to_at IS NOT NULL")
    )  # fmt: skip
    op.create_index(
        "accounts_summary_idx", "accounts", ["workspace_id", "id"], postgresql_where=sa.text("archived_at IS NULL"),
        postgresql_include=["stage", "status", "industry", "csm_id", "health_band", "health", "arr"],
    )  # fmt: skip
    _members_key("members_key_idx", ["segment"])


def _members_key(name: str, include: list[str]) -> None:
    """The key's own index holds the segment too: summaries by segments join it without reading the table."""
    op.create_index(name, "members", MEMBER, unique=True, postgresql_include=include)
    op.execute("ALTER TABLE members DROP CONSTRAINT members_pk")
    op.execute(f"ALTER TABLE members ADD CONSTRAINT members_pk PRIMARY KEY USING INDEX {name}")


def downgrade() -> None:
    """Without them."""
    _members_key("members_key_idx", [])
    op.drop_index("accounts_summary_idx", "accounts")
    for table in ("list_members", "list_watches", "list_workspace_defaults", "list_favourites"):
        op.drop_table(table)
    op.drop_column("lists", "used_at")
    op.drop_column("lists", "folder")
