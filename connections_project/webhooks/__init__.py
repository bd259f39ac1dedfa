"""Notices of platforms: that a user took a grant back, or wants data erased."""
