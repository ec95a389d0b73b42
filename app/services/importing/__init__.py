"""How a file becomes records: read, staged, checked, applied."""
