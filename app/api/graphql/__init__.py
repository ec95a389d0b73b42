"""The GraphQL door: documents become questions, bytes from the database become answers."""
