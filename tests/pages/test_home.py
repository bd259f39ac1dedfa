"""The address alone, as somebody types it."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_address_alone_leads_to_the_pages(client: Client) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/connections")


def test_there_people_sign_in_first(client: Client) -> None:
    pages = client.get("/", follow=True).redirect_chain
    assert [address.split("?")[0] for address, _ in pages] == ["/connections", "/sign-in"]
