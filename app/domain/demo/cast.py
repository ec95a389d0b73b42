"""Who and what appears in the demo: names, industries, products, features, teams."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IndustryCast:
    """`climate` shifts renewals on the logit; `impact` is what the downturn scenario says of it."""

    slug: str
    name: str
    climate: float
    impact: str
    share: int


@dataclass(frozen=True, slots=True)
class FeatureCast:
    """`adoption`: share of accounts that use it; `weight`: uses per active seat and working day."""

    slug: str
    name: str
    module: str
    is_key: bool
    adoption: float
    weight: float


@dataclass(frozen=True, slots=True)
class SizeCast:
    """A class of customers: ARR in major units is lognormal around `arr`; `employees` around its number."""

    type: str
    arr: float
    spread: float
    employees: int
    product: str
    share: int
    touch_days: int
    """Days between the CSM's own touches."""


INDUSTRIES = (
    IndustryCast("software", "Software", 0.9, "low", 22),
    IndustryCast("financial-services", "Financial services", 0.3, "medium", 14),
    IndustryCast("healthcare", "Healthcare", 1.0, "low", 13),
    IndustryCast("manufacturing", "Manufacturing", 0.0, "medium", 12),
    IndustryCast("retail", "Retail", -1.4, "severe", 11),
    IndustryCast("education", "Education", 0.05, "medium", 8),
    IndustryCast("media", "Media", -0.7, "medium", 7),
    IndustryCast("logistics", "Logistics", 0.05, "low", 6),
    IndustryCast("travel", "Travel and hospitality", -1.7, "severe", 4),
    IndustryCast("energy", "Energy", 0.5, "low", 3),
)

FEATURES = (
    FeatureCast("login", "Sign-in", "core", False, 1.0, 1.6),
    FeatureCast("dashboards", "Dashboards", "core", True, 0.95, 2.4),
    FeatureCast("search", "Search", "core", False, 0.85, 1.8),
    FeatureCast("reports", "Reports", "insight", True, 0.75, 0.9),
    FeatureCast("exports", "Exports", "insight", False, 0.5, 0.4),
    FeatureCast("forecasting", "Forecasting", "insight", True, 0.35, 0.3),
    FeatureCast("workflows", "Workflows", "automation", True, 0.55, 1.1),
    FeatureCast("alerts", "Alerts", "automation", False, 0.6, 0.7),
    FeatureCast("approvals", "Approvals", "automation", False, 0.3, 0.5),
    FeatureCast("api", "API", "platform", True, 0.4, 9.0),
    FeatureCast("integrations", "Integrations", "platform", False, 0.45, 1.3),
    FeatureCast("single-sign-on", "Single sign-on", "platform", False, 0.3, 0.8),
)

PRODUCTS = (("starter", "Starter", 6_000), ("growth", "Growth", 30_000), ("enterprise", "Enterprise", 120_000))

SIZES = (
    SizeCast("smb", 7_500, 0.55, 40, "starter", 52, 30),
    SizeCast("mid-market", 32_000, 0.5, 350, "growth", 33, 16),
    SizeCast("enterprise", 130_000, 0.6, 3_200, "enterprise", 15, 7),
)

COUNTRIES = (
    ("US", "amer", 38), ("CA", "amer", 7), ("BR", "amer", 4), ("GB", "emea", 12), ("DE", "emea", 10), ("FR", "emea", 7),
    ("NL", "emea", 4), ("SE", "emea", 3), ("ZA", "emea", 2), ("AU", "apac", 5), ("IN", "apac", 5), ("JP", "apac", 3),
)  # fmt: skip

TEAMS = (("amer", "Americas"), ("emea", "Europe, Middle East and Africa"), ("apac", "Asia-Pacific"))

CSMS = (
    ("Ada Morales", "amer"), ("Ben Okafor", "amer"), ("Carla Jensen", "amer"), ("Dev Patel", "amer"), ("Elena Rossi", "amer"),
    ("Farid Haddad", "emea"), ("Greta Lindqvist", "emea"), ("Hugo Martin", "emea"), ("Ines Carvalho", "emea"),
    ("Jun Tanaka", "apac"), ("Kavya Rao", "apac"), ("Liam Walker", "apac"),
)  # fmt: skip
MANAGER = ("Mara Novak", "emea")
ADMIN = ("Noah Fischer", "emea")

FIRST_WORDS = (
    "Amber", "Arbor", "Atlas", "Beacon", "Birch", "Blue", "Bright", "Cedar", "Clear", "Cobalt", "Copper", "Coral", "Crest",
    "Delta", "Dune", "Echo", "Ember", "Evergreen", "Falcon", "Fern", "Field", "Flint", "Forge", "Granite", "Harbor", "Hazel",
    "Heron", "Indigo", "Iron", "Ivory", "Juniper", "Keystone", "Lark", "Lumen", "Maple", "Meridian", "Mesa", "Mint", "North",
    "Nova", "Oak", "Onyx", "Orchid", "Otter", "Pacific", "Pine", "Polar", "Prairie", "Quartz", "Quill", "Raven", "Ridge",
    "River", "Rowan", "Saffron", "Sage", "Sierra", "Silver", "Slate", "Solar", "Spruce", "Summit", "Swift", "Tidal", "Timber",
    "Umber", "Upland", "Vale", "Vantage", "Verdant", "Violet", "Vista", "Walnut", "West", "Willow", "Wren", "Zephyr", "Zenith",
)  # fmt: skip
LAST_WORDS = {
    "software": ("Analytics", "Dynamics", "Labs", "Networks", "Robotics", "Software", "Systems"),
    "financial-services": ("Bank", "Capital", "Insurance", "Lending", "Finance"),
    "healthcare": ("Care", "Clinics", "Health", "Medical", "Hospitals"),
    "manufacturing": ("Industries", "Motors", "Works", "Tools", "Materials"),
    "retail": ("Outfitters", "Retail", "Stores", "Foods"),
    "education": ("Education", "Learning", "Schools"),
    "media": ("Media", "Press", "Studios"),
    "logistics": ("Freight", "Logistics", "Shipping"),
    "travel": ("Hotels", "Travel"),
    "energy": ("Energy", "Power"),
    "": ("Group", "Holdings", "Partners", "Collective", "Consulting"),
}
"""What companies of an industry call themselves; the last are of none."""
GIVEN = (
    "Aisha", "Alex", "Amara", "Andre", "Anna", "Bruno", "Chen", "Clara", "Daniel", "Diego", "Elif", "Emma", "Erik", "Fatima",
    "Felix", "Grace", "Hana", "Ivan", "Jonas", "Julia", "Kofi", "Laura", "Leo", "Lina", "Marco", "Maria", "Mei", "Nadia",
    "Nils", "Noor", "Olga", "Omar", "Paul", "Priya", "Rafael", "Rosa", "Sam", "Sara", "Sven", "Tara", "Tom", "Uma", "Yuki", "Zoe",
)  # fmt: skip
FAMILY = (
    "Adeyemi", "Ahmed", "Almeida", "Andersen", "Baker", "Bauer", "Brown", "Castro", "Costa", "Dubois", "Evans", "Fernandez",
    "Garcia", "Gupta", "Hansen", "Hernandez", "Ito", "Ivanov", "Jones", "Kaya", "Keller", "Khan", "Kim", "Kowalski", "Lopez",
    "Meyer", "Moreau", "Mueller", "Nguyen", "Okoye", "Olsen", "Park", "Petrov", "Reid", "Santos", "Sato", "Schmidt", "Silva",
    "Singh", "Smith", "Suzuki", "Torres", "Weber", "Wilson", "Wong", "Yilmaz", "Zhang",
)  # fmt: skip
TITLES = {
    "decision_maker": ("VP Operations", "COO", "Director of IT", "Head of Revenue", "CFO"),
    "champion": ("Operations Manager", "Team Lead", "Program Manager", "Analytics Lead"),
    "admin": ("Systems Administrator", "IT Manager"),
    "user": ("Analyst", "Coordinator", "Specialist", "Account Executive"),
}
CHURN_REASONS = ("pricing", "missing features", "support", "budget", "competitor", "merger", "low adoption")
