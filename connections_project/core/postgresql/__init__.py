"""Django's PostgreSQL backend, for a server that fails over, or falls silent."""
