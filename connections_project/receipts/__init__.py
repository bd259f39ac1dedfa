"""Signed proof for a connection's owner of how it was ended (CONTRACT, sections 8 and 12)."""
