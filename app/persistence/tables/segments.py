"""Segmentations, their versions, and where accounts stand and stood."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from app.persistence.tables.columns import INSTANT, TEXT, tenant

segmentations = tenant(
    "segmentations",
    Column("id", UUID(), nullable=False),
    Column("slug", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("spec", JSONB, nullable=False),
    Column("segments", JSONB, nullable=False),  # ordered: {slug, name, criteria, colour, engagement}
    Column("rest", TEXT, nullable=False),
    Column("cuts", JSONB, nullable=False),  # what percentile and median cuts were frozen at, and when
    Column("version", Integer, nullable=False, server_default="1"),
    Column("state", TEXT, nullable=False),
    Column("computed_at", INSTANT),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("refreeze", TEXT),  # how often cuts are taken anew; null: when somebody asks
    Column("as_of", INSTANT),  # up to when members were moved by time alone
    Column("detail", TEXT),  # why it is broken or degraded
    Column("band", Double()),  # share of a cut by which a number may leave it while its account stays
    Column("confirm", TEXT),  # how long a move waits: 36h, 2d, 1w
    Column("checked_at", INSTANT),  # when a full evaluation was last compared with the members
    Column("drifted", Integer),  # memberships that were not what it said, and were mended
    PrimaryKeyConstraint("workspace_id", "id"),
    UniqueConstraint("workspace_id", "slug"),
)
segmentation_versions = tenant(
    "segmentation_versions",  # added to, never changed
    Column("segmentation_id", UUID(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("spec", JSONB, nullable=False),
    Column("segments", JSONB, nullable=False),
    Column("cuts", JSONB, nullable=False),
    Column("rest", TEXT, nullable=False),
    Column("refreeze", TEXT),
    Column("band", Double()),
    Column("confirm", TEXT),
    Column("cause", TEXT, nullable=False),
    Column("restores", Integer),  # the version that a rollback brought back
    Column("author_id", UUID()),  # null for a service, and where time took cuts anew
    Column("note", TEXT),
    Column("created_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "segmentation_id", "version"),
    ForeignKeyConstraint(["workspace_id", "segmentation_id"], ["segmentations.workspace_id", "segmentations.id"]),
    CheckConstraint("cause IN ('put', 'publish', 'rollback', 'refreeze')", "cause"),
)
segmentation_drafts = tenant(
    "segmentation_drafts",  # bodies that nothing is placed by yet; there may be no segmentation of this slug
    Column("slug", TEXT, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("author_id", UUID()),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "slug"),
)
members = tenant(
    "members",  # stays that last; no references, nor in past_stays: written a million at a time, deleted with what they are of
    Column("segmentation_id", UUID(), nullable=False),
    Column("account_id", UUID(), nullable=False),
    Column("segment", TEXT, nullable=False),
    Column("since", INSTANT, nullable=False),
    Column("reason", TEXT, nullable=False),  # why it stands there
    Column("rule", TEXT),  # where the criteria put it, where that is elsewhere
    Column("held", TEXT),  # and what keeps it here: pin, band, confirmation
    Column("pending_since", INSTANT),  # since when its move waits to be confirmed
    PrimaryKeyConstraint("workspace_id", "segmentation_id", "account_id", postgresql_include=["segment"]),
    Index("members_entered_idx", "workspace_id", "segmentation_id", "segment", "since"),
    Index(
        "members_held_idx",
        "workspace_id",
        "segmentation_id",
        "pending_since",
        postgresql_where=text("held IS NOT NULL"),
    ),
)
past_stays = tenant(
    "past_stays",  # stays that are over: [from_at, to_at); persistence/stays.py reads them with those that last
    Column("segmentation_id", UUID(), nullable=False),
    Column("account_id", UUID(), nullable=False),
    Column("segment", TEXT, nullable=False),
    Column("from_at", INSTANT, nullable=False),
    Column("to_at", INSTANT, nullable=False),
    Column("reason", TEXT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "segmentation_id", "account_id", "from_at"),
    Index("past_stays_entered_idx", "workspace_id", "segmentation_id", "segment", "from_at", "account_id"),
    Index("past_stays_left_idx", "workspace_id", "segmentation_id", "segment", "to_at", "account_id"),
)
pins = tenant(
    "pins",  # accounts that somebody keeps in a segment, whatever the criteria say
    Column("segmentation_id", UUID(), nullable=False),
    Column("account_id", UUID(), nullable=False),
    Column("segment", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("author_id", UUID()),
    Column("pinned_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT),
    PrimaryKeyConstraint("workspace_id", "segmentation_id", "account_id"),
    ForeignKeyConstraint(["workspace_id", "segmentation_id"], ["segmentations.workspace_id", "segmentations.id"]),
    ForeignKeyConstraint(["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"]),
    Index("pins_account_idx", "workspace_id", "account_id"),
    Index("pins_expires_idx", "workspace_id", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
)
steps_done = tenant(
    "steps_done",  # steps of a segment's plans that somebody said are done
    Column("segmentation_id", UUID(), nullable=False),  # no reference: who leaves a segment leaves its steps behind
    Column("account_id", UUID(), nullable=False),
    Column("since", INSTANT, nullable=False),  # when the account entered the segment: another time they begin anew
    Column("plan", TEXT, nullable=False),
    Column("step", TEXT, nullable=False),
    Column("note", TEXT),
    Column("done_at", INSTANT, nullable=False),
    Column("author_id", UUID()),
    PrimaryKeyConstraint("workspace_id", "account_id", "segmentation_id", "since", "plan", "step"),
    ForeignKeyConstraint(["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"]),
    CheckConstraint("plan IN ('playbook', 'success_plan')", "plan"),
)
rank_cuts = tenant(
    "rank_cuts",  # where ranks reach `at` and where they pass it, as the records stood at `computed_at`
    Column("entity", TEXT, nullable=False),
    Column("field", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),  # the field of the groups, empty where there are none
    Column("fn", TEXT, nullable=False),
    Column("at", Numeric, nullable=False),
    Column("groups", JSONB, nullable=False),  # [value of `by`, records, where it reaches `at`, where it passes it]
    Column("computed_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "entity", "field", "by", "fn", "at"),
    Index("rank_cuts_computed_idx", "workspace_id", "computed_at"),
)
