"""Forecasting: what will renew, how sure that is, and whether the claim has been earned."""
