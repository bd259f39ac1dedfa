"""Settings from the environment: typed, and refused in one line that names the wrong one."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from connections_project.http.parsing import boolean
from connections_project.oauth.client import ClientRegistration

DATABASE_SCHEMES = ("sqlite", "postgres", "postgresql", "psql", "pgsql")


class Environment:
    """Read typed values, and say which one is missing or wrong.

    A value is never quoted in a complaint: it may be a secret.

    Args:
        values: The environment's variables. An empty one counts as absent.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, "").strip() or default

    def required(self, name: str, *, hint: str, unless: bool) -> str:
        """Give the text of `name`, which may be absent only where `unless` holds."""
        value = self.text(name)
        if not value and not unless:
            raise ImproperlyConfigured(f"{name} is missing: {hint}")
        return value

    def parsed(self, name: str, default: Any, parse: Callable[[str], Any], expected: str) -> Any:
        """Give what `parse` makes of the text, or `default` where there is none.

        Raises:
            ImproperlyConfigured: `parse` raised ValueError; the message names the variable.
        """
        value = self.text(name)
        if not value:
            return default
        try:
            return parse(value)
        except ValueError:
            raise ImproperlyConfigured(f"{name} is wrong: it must be {expected}") from None

    def flag(self, name: str, *, default: bool) -> bool:
        return bool(self.parsed(name, default, boolean, "true or false"))

    def whole_number(self, name: str, default: int, *, least: int) -> int:
        expected = f"a whole number of at least {least}"
        return int(self.parsed(name, default, lambda text: _at_least(text, least), expected))

    def listed(self, name: str) -> list[str]:
        return [item.strip() for item in self.text(name).split(",") if item.strip()]

    def one_of(self, name: str, *choices: str) -> str:
        """Give one of `choices`, of which the first is the default."""
        value = self.text(name, choices[0])
        if value not in choices:
            raise ImproperlyConfigured(f"{name} is wrong: it must be one of {', '.join(choices)}")
        return value

    def fernet_keys(self, name: str) -> list[str]:
        keys = self.listed(name)
        for key in keys:
            try:
                Fernet(key)
            except ValueError:
                hint = "Fernet keys, comma-separated, newest first"
                raise ImproperlyConfigured(f"{name} is wrong: it must be {hint}") from None
        return keys

    def ed25519_seed(self, name: str) -> bytes:
        """Give the 32 bytes of an Ed25519 seed (RFC 8032, section 5.1.5); none where absent."""
        expected = "the base64 of a 32-byte Ed25519 seed"
        return bytes(self.parsed(name, b"", _seed, expected))

    def web_address(self, name: str, default: str) -> str:
        expected = "an address such as https://connections.example.com, without query or fragment"
        return str(self.parsed(name, default, _web_address, expected))

    def origins(self, name: str) -> list[str]:
        origins = self.listed(name)
        if all(urlsplit(origin).scheme and urlsplit(origin).netloc for origin in origins):
            return origins
        raise ImproperlyConfigured(
            f"{name} is wrong: each origin needs its scheme, as in https://…"
        )

    def redis_url(self, name: str) -> str:
        url = self.text(name)
        if url and urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
            raise ImproperlyConfigured(f"{name} is wrong: it must begin with redis:// or rediss://")
        return url

    def database(self, name: str, default: str) -> dict[str, Any]:
        """Give Django's description of the database at an address (django-environ's schemes)."""
        url = self.text(name, default)
        if urlsplit(url).scheme not in DATABASE_SCHEMES:
            raise ImproperlyConfigured(f"{name} is wrong: it must be postgres://… or sqlite:///…")
        try:
            return dict(environ.Env.db_url_config(url))
        except (ValueError, ImproperlyConfigured):
            raise ImproperlyConfigured(f"{name} is wrong: it can't be read as an address") from None

    def client_registration(self, slug: str, *, default_redirect_uri: str) -> ClientRegistration:
        """Give the client that is registered at a platform; its id is empty where there is none."""
        prefix = f"OAUTH_{slug.upper()}"
        redirect_uris = self.listed(f"{prefix}_REDIRECT_URIS") or [default_redirect_uri]
        for uri in redirect_uris:
            # RFC 6749, section 3.1.2: an absolute address without a fragment.
            if not urlsplit(uri).scheme or "#" in uri:
                hint = "it must be absolute addresses without fragments, comma-separated"
                raise ImproperlyConfigured(f"{prefix}_REDIRECT_URIS is wrong: {hint}")
        return ClientRegistration(
            client_id=self.text(f"{prefix}_CLIENT_ID"),
            client_secret=self.text(f"{prefix}_CLIENT_SECRET"),
            redirect_uris=tuple(redirect_uris),
        )


def _at_least(text: str, least: int) -> int:
    number = int(text)
    if number < least:
        raise ValueError
    return number


def _seed(text: str) -> bytes:
    try:
        seed = base64.b64decode(
            text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True
        )
    except binascii.Error as error:
        raise ValueError from error
    if len(seed) != 32:
        raise ValueError
    return seed


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    return text
