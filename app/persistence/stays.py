"""Stays: where accounts stand and stood, each stored once. What lasts is in `members`, what is over in `past_stays`; the
view `stays` reads both as one: [from_at, to_at), which is null while a stay lasts."""

from __future__ import annotations

# Stays follow each other without a gap: each begins with the move into it, out of the one before.
MOVES = """
SELECT m.segmentation_id, m.account_id, m.from_at AS at,
  lag(m.segment) OVER (PARTITION BY m.segmentation_id, m.account_id ORDER BY m.from_at) AS was, m.segment, m.reason
FROM stays m WHERE m.workspace_id = $1
"""
"""Every change of where accounts stand: `was` is null where one had stood nowhere. Conditions that are added must leave
accounts whole: on `m.account_id` and `m.segmentation_id`."""
