"""Criteria and selections to SQL: one statement per question, in which PostgreSQL builds the JSON that is sent.

The text depends on the shape of the question alone; values are bound, `$1` is always the workspace.
"""

from app.persistence.compile.conditions import condition
from app.persistence.compile.pages import Statement, page
from app.persistence.compile.records import Record, any_record, record
from app.persistence.compile.scope import Scope

__all__ = ["Record", "Scope", "Statement", "any_record", "condition", "page", "record"]
