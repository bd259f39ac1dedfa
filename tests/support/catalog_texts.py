"""The smallest catalogue, for tests to add to."""

from collections.abc import Callable

from connections_project.oauth.catalog import Catalog

ENDPOINTS = """
authorization_endpoint = "https://bank.test/authorize"
token_endpoint = "https://bank.test/token"
"""
BANK = f'[providers.bank]\nname = "Bank"\n{ENDPOINTS}'
Load = Callable[[str], Catalog]
Complaint = Callable[[str], str]
