"""Two doors to the same use cases, without logic of their own."""
