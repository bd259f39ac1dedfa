"""The service's API as a client calls it, with every call and answer shown, secrets masked."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from connections_project.sandbox import walk
from connections_project.sandbox.local.masking import masked, masked_query, shortened

SECONDS = 20.0


class SurpriseError(Exception):
    """Something else came back than the scenario expects."""


class Api:
    """Calls the service over TLS.

    Args:
        base_url: Such as https://localhost:8000.
        authority: The PEM file of who signed the service's certificate.
    """

    def __init__(self, base_url: str, *, authority: Path, write: Callable[[str], None]) -> None:
        self.base_url = base_url
        self.write = write
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(authority)

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def sign_in(self, email: str, password: str) -> None:
        """Sign in; the calls from here on bear the access token."""
        credentials = {"email": email, "password": password}
        answer = self.call("POST", "/api/v1/auth/login", body=credentials, expect=200)
        self.use_token(answer["access_token"])

    def use_token(self, token: str) -> None:
        """Bear this access token from here on, and no API key."""
        for name in ("x-api-key", "x-team-id"):
            self.session.headers.pop(name, None)
        self.session.headers["Authorization"] = f"Bearer {token}"

    def use_key(self, key: str, *, team_id: str) -> None:
        """Send a team's API key from here on, and no access token."""
        self.session.headers.pop("Authorization", None)
        self.session.headers.update({"x-api-key": key, "x-team-id": team_id})

    def call(
        self,
        method: str,
        path: str,
        *,
        expect: int,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Make a call and return its JSON, None where there is no body.

        Raises:
            SurpriseError: No answer, or another status than `expect`.
        """
        shown_query = f"?{masked_query(query)}" if query else ""
        self.write(f"   -> {method} {path}{shown_query} {_shown(body)}".rstrip())
        try:
            response = self.session.request(
                method,
                self.base_url + path,
                json=body,
                params=query,
                headers=headers,
                timeout=SECONDS,
            )
        except requests.RequestException as error:
            # Its text would have the address with its query.
            kind = type(error).__name__
            raise SurpriseError(f"{method} {path} brought no answer ({kind})") from None
        answer = _content(response)
        self.write(f"   <- {response.status_code} {_shown(answer)}".rstrip())
        if response.status_code != expect:
            found = f"{response.status_code} {_shown(answer)}".rstrip()
            raise SurpriseError(f"{method} {path} brought {found} instead of {expect}")
        return answer


def consent(authorization_url: str, *, person: str) -> dict[str, str]:
    """Sign in at the sandbox and press "Allow"; give what the browser brings back.

    Raises:
        SurpriseError: The sandbox did not ask, or did not send the browser back.
    """
    try:
        callback = walk.authorize(authorization_url, person=person)
    except walk.WalkError as error:
        raise SurpriseError(str(error)) from None
    except requests.RequestException as error:
        kind = type(error).__name__
        raise SurpriseError(f"the sandbox brought no answer ({kind})") from None
    return dict(parse_qsl(urlsplit(callback).query))


def _content(response: requests.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except requests.JSONDecodeError:
        kind = response.headers.get("Content-Type", "unknown")
        return f"({len(response.content)} bytes of type {kind})"


def _shown(value: Any) -> str:
    return "" if value is None else shortened(json.dumps(masked(value), ensure_ascii=False))
