"""Lists that come ready-made."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.lists import ListEntity


@dataclass(frozen=True, slots=True)
class Template:
    """A ready-made list: `criteria` is its text; `segmentation` is the preset that it names, without which it means nothing."""

    slug: str
    name: str
    description: str
    criteria: str
    columns: tuple[str, ...]
    sort: tuple[str, ...]
    entity: ListEntity = "accounts"
    segmentation: str | None = None


TEMPLATES: tuple[Template, ...] = (
    Template(
        "new-accounts", "New accounts of the last week",
        "Customers since at most seven days, and accounts added in that time that are no customers yet.",
        "became_customer_at IN last(7d) OR (became_customer_at IS EMPTY AND created_at IN last(7d))",
        ("name", "stage", "csm.name", "arr", "industry", "became_customer_at", "primary_contact.name"),
        ("-became_customer_at", "name"),
    ),
    Template(
        "onboarding", "Onboarding accounts",
        "In the lifecycle stage of onboarding, those that are there longest first.",
        'stage = "onboarding"',
        ("name", "stage_since", "csm.name", "arr", "consumption_score", "last_interaction_at", "primary_contact.name"),
        ("stage_since", "name"),
    ),
    Template(
        "renewals", "Renewal within 90 days",
        "Customers whose renewal falls within the 90 days that begin today, the next one first.",
        'status = "customer" AND renewal_date IN next(90d)',
        ("name", "renewal_date", "auto_renew", "arr", "health", "csm.name", "nps", "last_interaction_at"),
        ("renewal_date", "-arr"),
    ),
    Template(
        "low-key-usage", "At risk: low use of key features",
        "Customers who used all key features together less than 20 times in the last 30 days, the largest first.",
        'status = "customer" AND sum(usage.value WHERE is_key = true, last(30d)) < 20',
        ("name", "arr", "consumption_score", "seat_utilisation", "last_active_at", "health", "renewal_date", "csm.name"),
        ("-arr", "name"),
    ),
    Template(
        "no-interaction", "No interaction for 30 days",
        "Customers without any interaction in the last 30 days, those that never had one included.",
        'status = "customer" AND none(interactions, last(30d))',
        ("name", "last_interaction_at", "arr", "health", "csm.name", "primary_contact.name", "renewal_date"),
        ("-arr", "name"),
    ),
    Template(
        "churned", "Churned in the last 60 days",
        "Accounts that left in the last 60 days, the latest first.",
        "churned_at IN last(60d)",
        ("name", "churned_at", "churn_reason", "became_customer_at", "industry", "csm.name", "nps"),
        ("-churned_at", "name"),
    ),
    Template(
        "open-invoices", "Unpaid or failed invoices",
        "Accounts with at least one invoice that is unpaid or whose payment failed, the largest sum first.",
        'any(invoices WHERE status IN ("unpaid", "failed"))',
        ("name", "open_invoices_amount", "arr", "health", "csm.name", "renewal_date", "primary_contact.name"),
        ("-open_invoices_amount", "name"),
    ),
    Template(
        "red-low-key-usage", "At risk: red health and low use of key features",
        "Customers in red health who used all key features together less than 20 times in the last 30 days.",
        'status = "customer" AND health_band = "red" AND sum(usage.value WHERE is_key = true, last(30d)) < 20',
        ("name", "health", "arr", "renewal_date", "consumption_score", "last_active_at", "csm.name", "primary_contact.name"),
        ("renewal_date", "-arr"),
    ),
    Template(
        "no-industry", "Accounts without an industry",
        "Accounts that no scenario can mean anything for, because nobody has said their industry; the largest first.",
        "industry IS EMPTY",
        ("name", "type", "region", "status", "arr", "csm.name", "renewal_date", "domain"),
        ("-arr", "name"),
    ),
    Template(
        "expansion", "Expansion: engaged, consuming and content",
        "Customers whose industry is hardly hit, who engage and consume much and are content: whom to offer more, the largest "
        "potential first. Needs interactions, usage and sentiments, and industries where a scenario is active.",
        'status = "customer" AND (impact = "low" OR impact IS EMPTY) AND engagement_score >= 60 AND consumption_score >= 60 '
        "AND sentiment >= 4",
        ("name", "growth_potential", "arr", "engagement_score", "consumption_score", "sentiment", "seat_utilisation", "csm.name"),
        ("-growth_potential", "-arr"),
    ),
    Template(
        "usage-limits", "Expansion: close to a limit, in the low tier",
        "Customers of low value who have used four fifths of their usage limit, or whose licences are nearly all in use. Needs the "
        "segmentation tier, and usage with usage_limit of accounts, or licences with their active users.",
        'status = "customer" AND segment.tier = "low" AND (usage_limit_used >= 0.8 OR seat_utilisation >= 0.9)',
        ("name", "usage_limit_used", "seat_utilisation", "arr", "consumption_score", "renewal_date", "csm.name"),
        ("-usage_limit_used", "-arr"), segmentation="tier",
    ),
    Template(
        "power-users", "Expansion: power users, in the low tier",
        "Customers of low value with at least two people who were active on half of the last 30 days: prime for an up-sell. Needs "
        "the segmentation tier, and usage by contact.",
        'status = "customer" AND segment.tier = "low" AND count(contacts WHERE active_days_30 >= 15) >= 2',
        ("name", "consumption_score", "seat_utilisation", "arr", "growth_potential", "primary_contact.name", "csm.name"),
        ("-consumption_score", "-arr"), segmentation="tier",
    ),
    Template(
        "churn-risk", "At risk: the high tier",
        "Customers of high value in red health, or whose decision maker thinks little of what they get; the next renewal first. Needs "
        "the segmentation tier, and health or sentiments.",
        'status = "customer" AND segment.tier = "high" AND (health_band = "red" OR sentiment <= 2)',
        ("name", "health", "sentiment", "arr", "renewal_date", "last_interaction_at", "csm.name", "primary_contact.name"),
        ("renewal_date", "-arr"), segmentation="tier",
    ),
    Template(
        "references", "References to ask for",
        "Customers in green health who are content, would recommend, and are no reference yet. Needs health, sentiments and surveys.",
        'status = "customer" AND is_reference = false AND health_band = "green" AND sentiment >= 4 AND nps >= 9',
        ("name", "nps", "sentiment", "health", "arr", "industry", "primary_contact.name", "csm.name"),
        ("-nps", "-arr"),
    ),
    Template(
        "case-studies", "Case studies to ask for",
        "References who consume much, and of whom nobody has written yet. Needs is_reference of accounts, and usage.",
        'status = "customer" AND is_reference = true AND case_studies = 0 AND consumption_score >= 60',
        ("name", "consumption_score", "nps", "arr", "industry", "products", "primary_contact.name", "csm.name"),
        ("-consumption_score", "-arr"),
    ),
)  # fmt: skip
"""The seven lists that every organisation begins with, the one that combines usage with health, what is to be done before a
scenario means anything, and where to look for expansion, for risk, and for who speaks for us."""
