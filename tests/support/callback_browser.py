"""A person's browser at the callback page, without a real one."""

from typing import Any

from django.test import Client
from rest_framework.test import APIClient

SIGN_IN = "Is it you who is connecting?"


def same_browser(api: APIClient) -> Client:
    """Return the browser from which `api` is called: it bears the starting call's cookie."""
    client = Client(raise_request_exception=False)
    client.cookies = api.cookies
    return client


def visit(browser: Client, state: str | None, *, slug: str = "bank", **query: str) -> Any:
    """Come back from the platform with a code, unless the query says otherwise."""
    parameters = {"code": "the-code", "state": state, **query}
    given = {name: value for name, value in parameters.items() if value is not None}
    return browser.get(f"/oauth/callback/{slug}", given)


def heading(page: Any) -> str:
    """Return what the page says in its heading."""
    assert page["Content-Type"] == "text/html; charset=utf-8"
    text: str = page.content.decode()
    return text.partition("<h1>")[2].partition("</h1>")[0].replace("&#x27;", "'").strip()
