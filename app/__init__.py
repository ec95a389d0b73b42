"""Strata: customer segments, lists and renewal forecasts over REST and GraphQL."""
