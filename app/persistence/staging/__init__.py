"""A file on its way into tables: staged as text, checked and typed by the database, then applied in chunks."""
