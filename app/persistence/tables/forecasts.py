"""Forecasts that were answered, and what people called."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from app.persistence.tables.columns import INSTANT, TEXT, tenant

forecasts = tenant(
    "forecasts",
    Column("id", UUID(), nullable=False),
    Column("asked", JSONB, nullable=False),
    Column("answer", JSON, nullable=False),  # the bytes that were sent, to be sent again
    Column("as_of", INSTANT, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("created_by", UUID()),
    PrimaryKeyConstraint("workspace_id", "id"),
)
forecast_renewals = tenant(
    "forecast_renewals",  # what each renewal of a kept forecast is expected to bring; money in minor units
    Column("forecast_id", UUID(), nullable=False),
    Column("no", Integer, nullable=False),
    Column("renewal_id", UUID(), nullable=False),  # the contract, or the account where it has none; no references:
    Column("account_id", UUID(), nullable=False),  # what was forecast outlives what it was about
    Column("product", TEXT),
    Column("lane", TEXT),
    Column("due_on", Date, nullable=False),
    Column("arr", BigInteger, nullable=False),
    Column("probability", Double, nullable=False),
    Column("expected", BigInteger, nullable=False),  # at most `arr`
    Column("expected_net", BigInteger, nullable=False),  # with what is expected to be bought more
    Column("reasons", ARRAY(Double), nullable=False),  # in the order of the answer's names, then what leads to money
    PrimaryKeyConstraint("workspace_id", "forecast_id", "no"),
    ForeignKeyConstraint(["workspace_id", "forecast_id"], ["forecasts.workspace_id", "forecasts.id"]),
    Index("forecast_renewals_renewal_idx", "workspace_id", "renewal_id", "forecast_id"),
)
renewal_calls = tenant(
    "renewal_calls",  # what somebody called of an account's renewal, added to alone
    Column("account_id", UUID(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("contract_ids", ARRAY(UUID()), nullable=False),  # no references: calls outlive terms
    Column("due", BigInteger, nullable=False),
    Column("category", TEXT),  # null where the one before was withdrawn, and so is what follows
    Column("probability", Double),
    Column("amount", BigInteger),  # what it brings if it comes
    Column("note", TEXT),
    Column("csm_id", UUID()),  # whose the account was then
    Column("author_id", UUID()),
    Column("called_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "account_id", "version"),
    ForeignKeyConstraint(["workspace_id", "account_id"], ["accounts.workspace_id", "accounts.id"]),
    CheckConstraint("category IN ('commit', 'likely', 'best_case', 'at_risk', 'expected_churn')", "category"),
    Index("renewal_calls_due_idx", "workspace_id", "due_on", "account_id", "version"),
)
backtests = tenant(
    "backtests",  # computed from the same inputs they are the same: kept by the digest of those
    Column("digest", LargeBinary, nullable=False),
    Column("answer", JSON, nullable=False),
    Column("computed_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("workspace_id", "digest"),
)
