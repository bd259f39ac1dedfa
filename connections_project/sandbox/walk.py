"""Walk the sandbox's sign-in and consent pages as a browser does: forms, cookies, redirects."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from connections_project.sandbox.forms import Form, forms_of
from connections_project.sandbox.people import PEOPLE

SECONDS = 10.0
MOST_STEPS = 8


class WalkError(Exception):
    """The sandbox showed something else than a sign-in or consent page."""


def authorize(authorization_url: str, *, person: str = "ada", allow: bool = True) -> str:
    """Sign in, allow or deny, and give the callback address that the browser is sent to.

    Args:
        authorization_url: The authorization request (RFC 6749, section 4.1.1).
        person: The username of one of the sandbox's people.
        allow: Press "Allow", else "Deny".

    Raises:
        WalkError: The request was refused on a page, or the walk doesn't end.
    """
    with requests.Session() as browser:
        browser.trust_env = False
        response = _get(browser, authorization_url)
        for _ in range(MOST_STEPS):
            if not response.is_redirect:
                response = _answer(browser, response, person=person, allow=allow)
                continue
            target = urljoin(response.url, response.headers["Location"])
            if _origin(target) != _origin(authorization_url):
                return target
            response = _get(browser, target)
    raise WalkError("the sandbox went on asking")


def introspect(
    base_url: str, *, client_id: str, client_secret: str, token: str
) -> Mapping[str, Any]:
    """Introspect a token of this client (RFC 7662, section 2).

    Raises:
        requests.HTTPError: The client isn't known there.
    """
    response = requests.post(
        f"{base_url}/oauth/introspect",
        data={"token": token},
        auth=(client_id, client_secret),
        timeout=SECONDS,
    )
    response.raise_for_status()
    answer: Mapping[str, Any] = response.json()
    return answer


def _get(browser: requests.Session, url: str) -> requests.Response:
    return browser.get(url, allow_redirects=False, timeout=SECONDS)


def _answer(
    browser: requests.Session, page: requests.Response, *, person: str, allow: bool
) -> requests.Response:
    if page.status_code != requests.codes.ok:
        raise WalkError(f"the sandbox refused the request with status {page.status_code}")
    forms = forms_of(page.text)
    if "sign-in" in forms:
        form, filled = forms["sign-in"], _sign_in(person)
    elif "consent" in forms:
        form, filled = forms["consent"], _press(forms["consent"], "Allow" if allow else "Deny")
    else:
        raise WalkError("the sandbox showed neither a sign-in nor a consent page")
    return browser.post(
        urljoin(page.url, form.action),
        data=form.fields | filled,
        allow_redirects=False,
        timeout=SECONDS,
    )


def _sign_in(person: str) -> dict[str, str]:
    return {"username": person, "password": PEOPLE[person].password}


def _press(form: Form, label: str) -> dict[str, str]:
    name, value = form.buttons[label]
    return {name: value} if name else {}


def _origin(url: str) -> tuple[str, str]:
    return urlsplit(url)[:2]
