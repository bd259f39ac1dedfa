"""Signed proof for a connection's owner of how it was ended (docs/api.md, "Receipts")."""
