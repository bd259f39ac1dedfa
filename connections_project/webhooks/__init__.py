"""Notices of platforms (a user took a grant back, or wants data erased), and of identity providers
(a session was revoked, an account disabled)."""
