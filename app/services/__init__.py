"""Use cases: load, decide, save; each owns its transaction."""
