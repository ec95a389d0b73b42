"""Engagements: models of segments as they are checked now, steps that were done, and the hours of a CSM."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")
# What a model said before in members of its own stays, as text, in `notes`: it had at most 4,096 bytes, so nothing that
# somebody wrote is lost.
KNOWN = "CASE s.v #>> '{engagement,model}' WHEN 'high_touch' THEN 'high' WHEN 'hybrid' THEN 'hybrid' WHEN 'low_touch' THEN 'low' END"
AIM = """CASE WHEN jsonb_typeof(s.v #> '{engagement,aim}') = 'string' AND length(s.v #>> '{engagement,aim}') BETWEEN 1 AND 200
  THEN s.v #>> '{engagement,aim}' END"""
CONVERTED = f"""
(SELECT jsonb_agg(CASE WHEN jsonb_typeof(s.v -> 'engagement') = 'object' THEN jsonb_set(s.v, '{{engagement}}', (
    SELECT jsonb_strip_nulls(jsonb_build_object('touch', k.touch, 'aim', k.aim,
      'notes', CASE WHEN k.others <> '{{}}' THEN left(k.others::text, 10000) END))
    FROM (SELECT {KNOWN} AS touch, {AIM} AS aim, (s.v -> 'engagement')
      - CASE WHEN {KNOWN} IS NULL THEN '{{}}'::text[] ELSE ARRAY['model'] END
      - CASE WHEN {AIM} IS NULL THEN '{{}}'::text[] ELSE ARRAY['aim'] END AS others) k
  )) ELSE s.v END ORDER BY s.n)
 FROM jsonb_array_elements(TOLD) WITH ORDINALITY s(v, n))
"""
UPDATES = (
    ("segmentations", "segments", "segments", CONVERTED),
    ("segmentation_versions", "segments", "segments", CONVERTED),
    ("segmentation_drafts", "body", "body -> 'segments'", f"jsonb_set(body, '{{segments}}', {CONVERTED})"),
)
UPDATE = """UPDATE {table} SET {column} = {made}
WHERE jsonb_typeof(TOLD) = 'array' AND jsonb_path_exists(TOLD, '$[*].engagement ? (@.type() == "object")')"""


def upgrade() -> None:
    """One column, one table, and engagement models read anew."""
    for table, column, told, made in UPDATES:
        op.execute(UPDATE.format(table=table, column=column, made=made).replace("TOLD", told))
    op.create_table(
        "steps_done",
        sa.Column("workspace_id", UUID(), nullable=False),
        sa.Column("segmentation_id", UUID(), nullable=False),
        sa.Column("account_id", UUID(), nullable=False),
        sa.Column("since", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("plan", TEXT, nullable=False),
        sa.Column("step", TEXT, nullable=False),
        sa.Column("note", TEXT),
        sa.Column("done_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("author_id", UUID()),
        sa.PrimaryKeyConstraint(
            "workspace_id", "account_id", "segmentation_id", "since", "plan", "step", name="steps_done_pk"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name="steps_done_workspace_id_account_id_fk",
        ),
        sa.CheckConstraint("plan IN ('playbook', 'success_plan')", name="steps_done_plan_check"),
    )
    # The last, because every request reads this table.
    op.add_column("workspaces", sa.Column("hours_per_csm", sa.Double(), nullable=False, server_default="120"))


def downgrade() -> None:
    """Without them; models stay as they are, which any reader of before takes."""
    op.drop_table("steps_done")
    op.drop_column("workspaces", "hours_per_csm")
