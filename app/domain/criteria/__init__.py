"""The criteria language: one typed tree, two spellings, three readers."""
