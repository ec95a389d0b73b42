"""Segmentations: every kind becomes ordered segments of criteria; the first that holds wins, the rest has a name."""
