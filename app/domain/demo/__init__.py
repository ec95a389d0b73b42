"""The demo organisation: a believable book of 2,000 accounts over 24 months, made from a seed and a day."""
