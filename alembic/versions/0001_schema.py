"""The schema as it begins: every table, its keys, its indexes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create everything, what is referred to first."""
    reference()
    definitions()
    accounts()
    related()
    usage()
    sets()
    work()


def downgrade() -> None:
    """Drop everything, what refers to others first."""
    for table in reversed(TABLES):
        op.drop_table(table)


TABLES = (
    "workspaces", "teams", "users", "api_keys",
    "industries", "products", "stages", "features", "scenarios", "attributes",
    "accounts", "contacts",
    "contracts", "opportunities", "interactions", "invoices", "surveys", "tickets", "requests", "sentiments", "churns",
    "usage_days", "usage_windows", "stage_moves",
    "lists", "list_defaults", "segmentations", "members", "memberships",
    "forecasts", "imports", "import_errors", "mappings", "idempotency_keys",
)  # fmt: skip


def reference() -> None:
    """Small tables that every statement may look at."""
    op.create_table(
        "workspaces",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("currency", TEXT, server_default="USD", nullable=False),
        sa.Column("minor_digits", sa.SmallInteger(), server_default="2", nullable=False),
        sa.Column("zone", TEXT, server_default="UTC", nullable=False),
        sa.Column("week_start", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("fiscal_month", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("health_yellow", sa.Double(), server_default="40", nullable=False),
        sa.Column("health_green", sa.Double(), server_default="70", nullable=False),
        sa.Column("arr_per_csm", sa.BigInteger(), server_default="200000000", nullable=False),
        sa.Column("facts_day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("workspaces_pk")),
        sa.UniqueConstraint("slug", name=op.f("workspaces_slug_key")),
    )
    op.create_table(
        "teams",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("teams_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("teams_workspace_id_external_id_key")),
        sa.UniqueConstraint("workspace_id", "slug", name=op.f("teams_workspace_id_slug_key")),
    )
    op.create_table(
        "users",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("team", TEXT),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("users_pk")),
        sa.UniqueConstraint("workspace_id", "email", name=op.f("users_workspace_id_email_key")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("users_workspace_id_external_id_key")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "team"], ["teams.workspace_id", "teams.slug"], name=op.f("users_workspace_id_team_fk")
        ),
        sa.CheckConstraint("role IN ('admin', 'manager', 'csm', 'viewer')", name=op.f("users_role_check")),
    )
    op.create_table(
        "api_keys",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("user_id", sa.UUID()),
        sa.Column("scopes", sa.ARRAY(TEXT), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("revoked_at", INSTANT),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("api_keys_pk")),
        sa.UniqueConstraint("hash", name=op.f("api_keys_hash_key")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("api_keys_workspace_id_fk")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "user_id"],
            ["users.workspace_id", "users.id"],
            name=op.f("api_keys_workspace_id_user_id_fk"),
        ),
        sa.CheckConstraint(
            "role IN ('admin', 'manager', 'csm', 'viewer', 'service')", name=op.f("api_keys_role_check")
        ),
    )


def definitions() -> None:
    """What an organisation works with."""
    op.create_table(
        "industries",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("industries_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("industries_workspace_id_external_id_key")),
        sa.UniqueConstraint("workspace_id", "slug", name=op.f("industries_workspace_id_slug_key")),
    )
    op.create_table(
        "products",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("list_price", sa.BigInteger()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("products_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("products_workspace_id_external_id_key")),
        sa.UniqueConstraint("workspace_id", "slug", name=op.f("products_workspace_id_slug_key")),
    )
    op.create_table(
        "stages",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("stages_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("stages_workspace_id_external_id_key")),
        sa.UniqueConstraint("workspace_id", "slug", name=op.f("stages_workspace_id_slug_key")),
    )
    op.create_table(
        "features",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("module", TEXT),
        sa.Column("is_key", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("no", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("features_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("features_workspace_id_external_id_key")),
        sa.UniqueConstraint("workspace_id", "no", name=op.f("features_workspace_id_no_key")),
        sa.UniqueConstraint("workspace_id", "slug", name=op.f("features_workspace_id_slug_key")),
    )
    op.create_table(
        "scenarios",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("impacts", JSONB(), nullable=False),
        sa.Column("lanes", JSONB(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("scenarios_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("scenarios_workspace_id_external_id_key")),
        sa.UniqueConstraint("workspace_id", "slug", name=op.f("scenarios_workspace_id_slug_key")),
    )
    op.create_index(
        "scenarios_active_key", "scenarios", ["workspace_id"], unique=True, postgresql_where=sa.text("is_active")
    )
    op.create_table(
        "attributes",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("entity", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("values", sa.ARRAY(TEXT), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("is_required", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_unique", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_promoted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("retired_at", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("entity IN ('accounts', 'contacts')", name=op.f("attributes_entity_check")),
        sa.CheckConstraint(
            "type IN ('text', 'number', 'integer', 'money', 'date', 'instant', 'bool', 'enum', 'tags')",
            name=op.f("attributes_type_check"),
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("attributes_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("attributes_workspace_id_external_id_key")),
        sa.UniqueConstraint("workspace_id", "entity", "slug", name=op.f("attributes_workspace_id_entity_slug_key")),
    )


def accounts() -> None:
    """Accounts and their people."""
    op.create_table(
        "accounts",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("domain", TEXT),
        sa.Column("website", TEXT),
        sa.Column("industry", TEXT),
        sa.Column("type", TEXT),
        sa.Column("region", TEXT),
        sa.Column("country", TEXT),
        sa.Column("employees", sa.Integer()),
        sa.Column("products", sa.ARRAY(TEXT), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("parent_id", sa.UUID()),
        sa.Column("csm_id", sa.UUID()),
        sa.Column("stage", TEXT),
        sa.Column("stage_since", sa.Date()),
        sa.Column("status", TEXT, server_default=sa.text("'prospect'"), nullable=False),
        sa.Column("arr", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("mrr", sa.BigInteger(), sa.Computed("round(arr / 12.0)::bigint", persisted=True), nullable=False),
        sa.Column("tcv", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("growth_potential", sa.BigInteger()),
        sa.Column("cost_to_serve", sa.BigInteger()),
        sa.Column("margin", sa.BigInteger(), sa.Computed("arr - cost_to_serve", persisted=True)),
        sa.Column("health", sa.Double()),
        sa.Column("health_band", TEXT),
        sa.Column("sentiment", sa.Double()),
        sa.Column("sentiment_at", INSTANT),
        sa.Column("impact", TEXT),
        sa.Column("contract_start", sa.Date()),
        sa.Column("contract_end", sa.Date()),
        sa.Column("renewal_date", sa.Date()),
        sa.Column("auto_renew", sa.Boolean()),
        sa.Column("seats_licensed", sa.Integer()),
        sa.Column("seats_active", sa.Integer()),
        sa.Column(
            "seat_utilisation",
            sa.Double(),
            sa.Computed(
                "CASE WHEN seats_licensed > 0 AND seats_active IS NOT NULL THEN least(1::double precision, "
                "seats_active::double precision / seats_licensed::double precision) ELSE NULL::double precision END",
                persisted=True,
            ),
        ),
        sa.Column("usage_limit", sa.Double()),
        sa.Column("usage_limit_used", sa.Double()),
        sa.Column("nps", sa.Double()),
        sa.Column("nps_at", INSTANT),
        sa.Column("open_invoices_amount", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("open_tickets", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_interaction_at", INSTANT),
        sa.Column("last_inbound_at", INSTANT),
        sa.Column("last_active_at", INSTANT),
        sa.Column("engagement_score", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("consumption_score", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_reference", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("case_studies", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("primary_contact_id", sa.UUID()),
        sa.Column("became_customer_at", sa.Date()),
        sa.Column("churned_at", sa.Date()),
        sa.Column("churn_reason", TEXT),
        sa.Column("archived_at", INSTANT),
        sa.Column("custom", JSONB()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("arr_by_hand", sa.BigInteger()),
        sa.Column("growth_potential_by_hand", sa.BigInteger()),
        sa.Column("renewal_date_by_hand", sa.Date()),
        sa.Column("seats_licensed_by_hand", sa.Integer()),
        sa.Column("churned_at_by_hand", sa.Date()),
        sa.Column("churn_reason_by_hand", TEXT),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("accounts_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("accounts_workspace_id_external_id_key")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "csm_id"], ["users.workspace_id", "users.id"], name=op.f("accounts_workspace_id_csm_id_fk")
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "industry"],
            ["industries.workspace_id", "industries.slug"],
            name=op.f("accounts_workspace_id_industry_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "parent_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("accounts_workspace_id_parent_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "stage"],
            ["stages.workspace_id", "stages.slug"],
            name=op.f("accounts_workspace_id_stage_fk"),
        ),
        sa.CheckConstraint("health_band IN ('green', 'yellow', 'red')", name=op.f("accounts_health_band_check")),
        sa.CheckConstraint("impact IN ('severe', 'medium', 'low')", name=op.f("accounts_impact_check")),
        sa.CheckConstraint("status IN ('prospect', 'customer', 'churned')", name=op.f("accounts_status_check")),
    )
    op.create_index("accounts_arr_idx", "accounts", ["workspace_id", "arr", "id"])
    op.create_index("accounts_became_customer_at_idx", "accounts", ["workspace_id", "became_customer_at", "id"])
    op.create_index("accounts_churned_at_idx", "accounts", ["workspace_id", "churned_at", "id"])
    op.create_index("accounts_csm_id_idx", "accounts", ["workspace_id", "csm_id", "id"])
    op.create_index(
        "accounts_custom_idx",
        "accounts",
        ["custom"],
        postgresql_using="gin",
        postgresql_ops={"custom": "jsonb_path_ops"},
    )
    op.create_index("accounts_health_idx", "accounts", ["workspace_id", "health", "id"])
    op.create_index("accounts_industry_idx", "accounts", ["workspace_id", "industry", "id"])
    op.create_index("accounts_last_interaction_at_idx", "accounts", ["workspace_id", "last_interaction_at", "id"])
    op.create_index("accounts_name_idx", "accounts", ["workspace_id", "name", "id"])
    op.create_index("accounts_parent_id_idx", "accounts", ["workspace_id", "parent_id", "id"])
    op.create_index("accounts_renewal_date_idx", "accounts", ["workspace_id", "renewal_date", "id"])
    op.create_index("accounts_stage_idx", "accounts", ["workspace_id", "stage", "id"])
    op.create_table(
        "contacts",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("email", TEXT),
        sa.Column("title", TEXT),
        sa.Column("role", TEXT),
        sa.Column("is_primary", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("last_seen_at", INSTANT),
        sa.Column("active_days_30", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("nps", sa.Double()),
        sa.Column("custom", JSONB()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("contacts_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("contacts_workspace_id_external_id_key")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("contacts_workspace_id_account_id_fk"),
        ),
        sa.CheckConstraint("role IN ('decision_maker', 'champion', 'admin', 'user')", name=op.f("contacts_role_check")),
    )
    op.create_index(
        "contacts_account_idx",
        "contacts",
        ["workspace_id", "account_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index("contacts_email_idx", "contacts", ["workspace_id", "email"])
    op.create_index(
        "contacts_primary_idx", "contacts", ["workspace_id", "account_id"], postgresql_where=sa.text("is_primary")
    )
    op.create_index("contacts_time_idx", "contacts", ["workspace_id", sa.text("created_at DESC"), sa.text("id DESC")])


def related() -> None:
    """What happens with an account."""
    op.create_table(
        "contracts",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("product", TEXT),
        sa.Column("status", TEXT, server_default=sa.text("'active'"), nullable=False),
        sa.Column("arr", sa.BigInteger(), nullable=False),
        sa.Column("tcv", sa.BigInteger()),
        sa.Column("seats", sa.Integer()),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("end_date", sa.Date()),
        sa.Column("auto_renew", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("notice_days", sa.Integer()),
        sa.Column("billing", TEXT),
        sa.Column("outcome", TEXT),
        sa.Column("decided_at", sa.Date()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("contracts_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("contracts_workspace_id_external_id_key")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("contracts_workspace_id_account_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "product"],
            ["products.workspace_id", "products.slug"],
            name=op.f("contracts_workspace_id_product_fk"),
        ),
        sa.CheckConstraint("billing IN ('monthly', 'quarterly', 'annual')", name=op.f("contracts_billing_check")),
        sa.CheckConstraint(
            "outcome IN ('renewed', 'expanded', 'contracted', 'churned')", name=op.f("contracts_outcome_check")
        ),
        sa.CheckConstraint("status IN ('future', 'active', 'ended')", name=op.f("contracts_status_check")),
    )
    op.create_index(
        "contracts_account_idx",
        "contracts",
        ["workspace_id", "account_id", sa.text("start_date DESC"), sa.text("id DESC")],
    )
    op.create_index("contracts_time_idx", "contracts", ["workspace_id", sa.text("start_date DESC"), sa.text("id DESC")])
    op.create_table(
        "opportunities",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("product", TEXT),
        sa.Column("owner_id", sa.UUID()),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("stage", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.Date()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("opportunities_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("opportunities_workspace_id_external_id_key")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("opportunities_workspace_id_account_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "owner_id"],
            ["users.workspace_id", "users.id"],
            name=op.f("opportunities_workspace_id_owner_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "product"],
            ["products.workspace_id", "products.slug"],
            name=op.f("opportunities_workspace_id_product_fk"),
        ),
        sa.CheckConstraint("stage IN ('open', 'won', 'lost')", name=op.f("opportunities_stage_check")),
    )
    op.create_index(
        "opportunities_account_idx",
        "opportunities",
        ["workspace_id", "account_id", sa.text("opened_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "opportunities_time_idx", "opportunities", ["workspace_id", sa.text("opened_at DESC"), sa.text("id DESC")]
    )
    op.create_table(
        "interactions",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("contact_id", sa.UUID()),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("direction", TEXT, nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("subject", TEXT),
        sa.Column("attended", sa.Boolean()),
        sa.Column("opened", sa.Boolean()),
        sa.Column("is_automated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("interactions_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("interactions_workspace_id_external_id_key")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("interactions_workspace_id_account_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "contact_id"],
            ["contacts.workspace_id", "contacts.id"],
            name=op.f("interactions_workspace_id_contact_id_fk"),
        ),
        sa.CheckConstraint("direction IN ('inbound', 'outbound')", name=op.f("interactions_direction_check")),
        sa.CheckConstraint(
            "kind IN ('email', 'call', 'meeting', 'event', 'note', 'other')", name=op.f("interactions_kind_check")
        ),
    )
    op.create_index(
        "interactions_account_idx",
        "interactions",
        ["workspace_id", "account_id", sa.text("occurred_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "interactions_contact_idx",
        "interactions",
        ["workspace_id", "contact_id", sa.text("occurred_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "interactions_time_idx", "interactions", ["workspace_id", sa.text("occurred_at DESC"), sa.text("id DESC")]
    )
    op.create_table(
        "invoices",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("number", TEXT),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.Date(), nullable=False),
        sa.Column("due_at", sa.Date(), nullable=False),
        sa.Column("paid_at", sa.Date()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("invoices_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("invoices_workspace_id_external_id_key")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("invoices_workspace_id_account_id_fk"),
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'unpaid', 'paid', 'failed', 'void')", name=op.f("invoices_status_check")
        ),
    )
    op.create_index(
        "invoices_account_idx",
        "invoices",
        ["workspace_id", "account_id", sa.text("issued_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "invoices_open_idx",
        "invoices",
        ["workspace_id", "account_id"],
        postgresql_where=sa.text("status IN ('unpaid', 'failed')"),
    )
    op.create_index("invoices_time_idx", "invoices", ["workspace_id", sa.text("issued_at DESC"), sa.text("id DESC")])
    op.create_table(
        "surveys",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("contact_id", sa.UUID()),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("comment", TEXT),
        sa.Column("answered_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("surveys_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("surveys_workspace_id_external_id_key")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("surveys_workspace_id_account_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "contact_id"],
            ["contacts.workspace_id", "contacts.id"],
            name=op.f("surveys_workspace_id_contact_id_fk"),
        ),
        sa.CheckConstraint("kind IN ('nps', 'csat', 'ces')", name=op.f("surveys_kind_check")),
    )
    op.create_index(
        "surveys_account_idx",
        "surveys",
        ["workspace_id", "account_id", sa.text("answered_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "surveys_contact_idx",
        "surveys",
        ["workspace_id", "contact_id", sa.text("answered_at DESC"), sa.text("id DESC")],
    )
    op.create_index("surveys_time_idx", "surveys", ["workspace_id", sa.text("answered_at DESC"), sa.text("id DESC")])
    op.create_table(
        "tickets",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("contact_id", sa.UUID()),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("priority", TEXT, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT),
        sa.Column("first_response_minutes", sa.Double()),
        sa.Column("resolution_hours", sa.Double()),
        sa.Column("satisfaction", sa.Double()),
        sa.Column("escalated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("tickets_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("tickets_workspace_id_external_id_key")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("tickets_workspace_id_account_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "contact_id"],
            ["contacts.workspace_id", "contacts.id"],
            name=op.f("tickets_workspace_id_contact_id_fk"),
        ),
        sa.CheckConstraint("priority IN ('low', 'medium', 'high', 'urgent')", name=op.f("tickets_priority_check")),
        sa.CheckConstraint("status IN ('open', 'pending', 'closed')", name=op.f("tickets_status_check")),
    )
    op.create_index(
        "tickets_account_idx", "tickets", ["workspace_id", "account_id", sa.text("opened_at DESC"), sa.text("id DESC")]
    )
    op.create_index(
        "tickets_contact_idx", "tickets", ["workspace_id", "contact_id", sa.text("opened_at DESC"), sa.text("id DESC")]
    )
    op.create_index("tickets_time_idx", "tickets", ["workspace_id", sa.text("opened_at DESC"), sa.text("id DESC")])
    op.create_table(
        "requests",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger()),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("resolved_at", INSTANT),
        sa.Column("note", TEXT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("requests_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("requests_workspace_id_external_id_key")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("requests_workspace_id_account_id_fk"),
        ),
        sa.CheckConstraint(
            "kind IN ('stop_payment', 'discount', 'expansion', 'other')", name=op.f("requests_kind_check")
        ),
        sa.CheckConstraint("status IN ('open', 'granted', 'refused', 'withdrawn')", name=op.f("requests_status_check")),
    )
    op.create_index(
        "requests_account_idx", "requests", ["workspace_id", "account_id", sa.text("asked_at DESC"), sa.text("id DESC")]
    )
    op.create_index("requests_time_idx", "requests", ["workspace_id", sa.text("asked_at DESC"), sa.text("id DESC")])
    op.create_table(
        "sentiments",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("author_id", sa.UUID(), nullable=False),
        sa.Column("note", TEXT),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("sentiments_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("sentiments_workspace_id_external_id_key")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("sentiments_workspace_id_account_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "author_id"],
            ["users.workspace_id", "users.id"],
            name=op.f("sentiments_workspace_id_author_id_fk"),
        ),
    )
    op.create_index(
        "sentiments_account_idx",
        "sentiments",
        ["workspace_id", "account_id", sa.text("recorded_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "sentiments_time_idx", "sentiments", ["workspace_id", sa.text("recorded_at DESC"), sa.text("id DESC")]
    )
    op.create_table(
        "churns",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("churned_at", sa.Date(), nullable=False),
        sa.Column("reason", TEXT),
        sa.Column("note", TEXT),
        sa.Column("is_reactivation", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("refund", sa.BigInteger()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("churns_pk")),
        sa.UniqueConstraint("workspace_id", "external_id", name=op.f("churns_workspace_id_external_id_key")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("churns_workspace_id_account_id_fk"),
        ),
    )
    op.create_index(
        "churns_account_idx", "churns", ["workspace_id", "account_id", sa.text("churned_at DESC"), sa.text("id DESC")]
    )
    op.create_index("churns_time_idx", "churns", ["workspace_id", sa.text("churned_at DESC"), sa.text("id DESC")])


def usage() -> None:
    """Usage by day, its windows, and moves between stages."""
    op.create_table(
        "usage_days",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("features", sa.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("contacts", sa.ARRAY(sa.UUID()), nullable=False),
        sa.Column("amounts", sa.ARRAY(sa.Double()), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", "day", name=op.f("usage_days_pk")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("usage_days_workspace_id_account_id_fk"),
        ),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_table(
        "usage_windows",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("feature", sa.SmallInteger(), nullable=False),
        sa.Column("last_7", sa.Double(), nullable=False),
        sa.Column("last_30", sa.Double(), nullable=False),
        sa.Column("last_90", sa.Double(), nullable=False),
        sa.Column("before_30", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", "feature", name=op.f("usage_windows_pk")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("usage_windows_workspace_id_account_id_fk"),
        ),
    )
    op.create_table(
        "stage_moves",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("stage", TEXT),
        sa.Column("moved_at", INSTANT, nullable=False),
        sa.Column("actor_id", sa.UUID()),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("stage_moves_pk")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("stage_moves_workspace_id_account_id_fk"),
        ),
    )
    op.create_index("stage_moves_account_idx", "stage_moves", ["workspace_id", "account_id", "moved_at"])


def sets() -> None:
    """Lists and segments."""
    op.create_table(
        "lists",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("entity", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT),
        sa.Column("criteria", JSONB(), nullable=False),
        sa.Column("columns", sa.ARRAY(TEXT), nullable=False),
        sa.Column("sort", sa.ARRAY(TEXT), nullable=False),
        sa.Column("visibility", TEXT, nullable=False),
        sa.Column("mine", sa.Boolean(), nullable=False),
        sa.Column("params", JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("lists_pk")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "owner_id"],
            ["users.workspace_id", "users.id"],
            name=op.f("lists_workspace_id_owner_id_fk"),
        ),
        sa.CheckConstraint("entity IN ('accounts', 'contacts')", name=op.f("lists_entity_check")),
        sa.CheckConstraint("visibility IN ('private', 'public')", name=op.f("lists_visibility_check")),
    )
    op.create_index("lists_name_idx", "lists", ["workspace_id", "name", "id"])
    op.create_table(
        "list_defaults",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("entity", TEXT, nullable=False),
        sa.Column("list_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", "entity", name=op.f("list_defaults_pk")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "list_id"],
            ["lists.workspace_id", "lists.id"],
            name=op.f("list_defaults_workspace_id_list_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "user_id"],
            ["users.workspace_id", "users.id"],
            name=op.f("list_defaults_workspace_id_user_id_fk"),
        ),
    )
    op.create_table(
        "segmentations",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("spec", JSONB(), nullable=False),
        sa.Column("segments", JSONB(), nullable=False),
        sa.Column("rest", TEXT, nullable=False),
        sa.Column("cuts", JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("computed_at", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("segmentations_pk")),
        sa.UniqueConstraint("workspace_id", "slug", name=op.f("segmentations_workspace_id_slug_key")),
    )
    op.create_table(
        "members",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("segmentation_id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("segment", TEXT, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "segmentation_id", "account_id", name=op.f("members_pk")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("members_workspace_id_account_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "segmentation_id"],
            ["segmentations.workspace_id", "segmentations.id"],
            name=op.f("members_workspace_id_segmentation_id_fk"),
        ),
    )
    op.create_index("members_segment_idx", "members", ["workspace_id", "segmentation_id", "segment", "account_id"])
    op.create_table(
        "memberships",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("segmentation_id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("segment", TEXT, nullable=False),
        sa.Column("from_at", INSTANT, nullable=False),
        sa.Column("to_at", INSTANT),
        sa.Column("reason", TEXT, nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "segmentation_id", "account_id", "from_at", name=op.f("memberships_pk")
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["accounts.workspace_id", "accounts.id"],
            name=op.f("memberships_workspace_id_account_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "segmentation_id"],
            ["segmentations.workspace_id", "segmentations.id"],
            name=op.f("memberships_workspace_id_segmentation_id_fk"),
        ),
    )


def work() -> None:
    """Forecasts, imports, and what makes writes repeatable."""
    op.create_table(
        "forecasts",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("asked", JSONB(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("as_of", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.UUID()),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("forecasts_pk")),
    )
    op.create_table(
        "imports",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("mapping", JSONB(), nullable=False),
        sa.Column("rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("updated", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unchanged", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rejected", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("warned", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("detail", TEXT),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("imports_pk")),
        sa.CheckConstraint("state IN ('staged', 'running', 'done', 'failed')", name=op.f("imports_state_check")),
    )
    op.create_table(
        "import_errors",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("import_id", sa.UUID(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("column", TEXT),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("is_warning", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "import_id", "line", "seq", name=op.f("import_errors_pk")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "import_id"],
            ["imports.workspace_id", "imports.id"],
            name=op.f("import_errors_workspace_id_import_id_fk"),
        ),
    )
    op.create_table(
        "mappings",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("mapping", JSONB(), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "name", name=op.f("mappings_pk")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("credential_id", sa.UUID(), nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "credential_id", "key", name=op.f("idempotency_keys_pk")),
    )
    op.create_index("idempotency_keys_created_idx", "idempotency_keys", ["workspace_id", "created_at"])
