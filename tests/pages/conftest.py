"""A person at the page, and a bank that sends people back to it."""

from dataclasses import asdict

import pytest
from django.conf import LazySettings
from django.test import Client

from connections_project.identity.models import User
from connections_project.oauth.client import ClientRegistration
from tests.support.bank import Bank

CALLBACK = "https://localhost:8000/oauth/callback/bank"


@pytest.fixture
def bank(bank: Bank, settings: LazySettings) -> Bank:
    """The bank, at which our callback page is registered, and another one's that is first."""
    addresses = ("https://app.example.com/callback", CALLBACK)
    registration = ClientRegistration("our client", "client secret", addresses)
    settings.OAUTH_CLIENTS["bank"] = asdict(registration)
    return bank


@pytest.fixture
def page(owner: User) -> Client:
    """The owner's browser, signed in."""
    client = Client()
    client.force_login(owner)
    return client
