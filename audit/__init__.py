"""The append-only log of what was done, by whom, to what, for all apps."""
