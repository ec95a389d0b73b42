"""REST: one file per capability."""
