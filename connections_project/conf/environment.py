"""Settings from the environment: typed, and refused in one line that names the wrong one."""

import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import environ
from cryptography.x509 import Certificate
from django.core.exceptions import ImproperlyConfigured

from connections_project.conf import rate_limits
from connections_project.conf import values as values
from connections_project.conf.issuers import NOBODY, Identity, IssuersError, read_identity
from connections_project.conf.metrics_folder import prepare as metrics_folder
from connections_project.conf.single_sign_on import IncompleteError, SingleSignOn, single_sign_on
from connections_project.oauth.host_patterns import HostPattern, host_pattern

T = TypeVar("T")

PROJECT = Path(__file__).resolve().parents[2]
TEN_YEARS = 10 * 365 * 24 * 3600  # seconds: what is added to a date must not overflow it.
CLIENT_VARIABLE = re.compile(
    r"OAUTH_(?P<slug>[A-Z0-9_]{1,64})_(CLIENT_ID|CLIENT_SECRET|REDIRECT_URIS|WEBHOOK_KEY)"
)
# What may also be given as the path of a file, in NAME_FILE, as orchestrators mount secrets.
_SECRET = re.compile(
    r"SECRET_KEY|CREDENTIAL_KEYS|(AUDIT|RECEIPT)_SIGNING_KEY|(DATABASE|REDIS|CELERY_BROKER)_URL"
    r"|METRICS_TOKEN|OUTBOUND_PROXY|EMAIL_HOST_PASSWORD|OAUTH_[A-Z0-9_]+_(CLIENT_SECRET|WEBHOOK_KEY)"
    r"|ADMIN_OIDC_CLIENT_SECRET"
)
# What django-environ reads; it would log any other line, which may hold a secret.
_LINE = re.compile(r"(export )?[A-Za-z_0-9]+=.*|#.*|")


def read_env_file(name: str) -> None:
    """Read variables from a file of NAME=value lines; the environment's own win over it.

    Args:
        name: The file, which may be absent.

    Raises:
        ImproperlyConfigured: It can't be read, or a line of it; the line is named by its number.
    """
    path = PROJECT / name
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError):
        raise ImproperlyConfigured(f"{path} can't be read as UTF-8 text") from None
    for number, line in enumerate(lines, start=1):
        if not _LINE.fullmatch(line):
            raise ImproperlyConfigured(f"{path}, line {number}, is wrong: it must be NAME=value")
    environ.Env.read_env(path)


class Environment:
    """Read typed values, and say which one is missing or wrong.

    A value is never quoted in a complaint: it may be a secret.

    Args:
        variables: The environment's variables. An empty one counts as absent.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables

    def text(self, name: str, default: str = "") -> str:
        """Return the text of `name`, or, of a secret, that of the file which NAME_FILE names.

        Raises:
            ImproperlyConfigured: It is no text, the file can't be read, or both are given.
        """
        given = self.variables.get(name, "").strip()
        value = self._parse(name, given, values.text, "text in UTF-8")
        path = self.variables.get(f"{name}_FILE", "") if _SECRET.fullmatch(name) else ""
        if value and path:
            raise ImproperlyConfigured(f"{name} is wrong: give it or {name}_FILE, not both")
        return value or (path and self._file_text(name, path)) or default

    @staticmethod
    def _file_text(name: str, path: str) -> str:
        try:
            return (PROJECT / path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise ImproperlyConfigured(f"{name}_FILE is wrong: it must be a text file") from None

    def required(self, name: str, *, hint: str, unless: bool) -> str:
        """Return the text of `name`, which may be absent only where `unless` holds."""
        value = self.text(name)
        if not value and not unless:
            raise ImproperlyConfigured(f"{name} is missing: {hint}")
        return value

    def parsed(self, name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
        """Return what `parse` makes of the text, or `default` where there is none.

        Raises:
            ImproperlyConfigured: `parse` raised ValueError or OSError; the message names the
                variable.
        """
        value = self.text(name)
        return self._parse(name, value, parse, expected) if value else default

    def path(self, name: str, default: T, parse: Callable[[Path], T], expected: str) -> T:
        """Return what `parse` makes of a path, or `default` where there is none.

        One that isn't absolute starts in the project's folder, wherever the process does.
        """
        return self.parsed(name, default, lambda text: parse(PROJECT / text), expected)

    def listed(self, name: str, parse: Callable[[str], str] = str, expected: str = "") -> list[str]:
        """Return the items between the commas, each as `parse` makes it.

        Raises:
            ImproperlyConfigured: One is wrong, or there are commas and no item.
        """
        value = self.text(name)
        items = [item.strip() for item in value.split(",") if item.strip()]
        if value and not items:
            raise ImproperlyConfigured(f"{name} is wrong: it holds commas and nothing else")
        return [self._parse(name, item, parse, f"{expected}, comma-separated") for item in items]

    def flag(self, name: str, *, default: bool) -> bool:
        return self.parsed(name, default, values.parse_boolean, "true or false")

    def whole_number(self, name: str, default: int, *, least: int, most: int = TEN_YEARS) -> int:
        parse = partial(values.whole_number, least=least, most=most)
        return self.parsed(name, default, parse, f"a whole number from {least} to {most}")

    def share(self, name: str, default: float) -> float:
        """Return a part of a whole, above 0 and at most 1."""
        return self.parsed(name, default, values.share, "a number above 0 and at most 1")

    def one_of(self, name: str, *choices: str) -> str:
        """Return one of `choices`, of which the first is the default."""
        value = self.text(name, choices[0])
        if value not in choices:
            raise ImproperlyConfigured(f"{name} is wrong: it must be one of {', '.join(choices)}")
        return value

    def fernet_keys(self, name: str) -> list[str]:
        return self.listed(name, values.fernet_key, "Fernet keys, newest first")

    def ed25519_seed(self, name: str) -> bytes:
        """Return the 32 bytes of an Ed25519 seed (RFC 8032, section 5.1.5); none where absent."""
        expected = "the base64 of a 32-byte Ed25519 seed"
        return self.parsed(name, b"", values.ed25519_bytes, expected)

    def ed25519_public_keys(self, name: str) -> list[bytes]:
        """Return the 32 bytes of each public key (RFC 8032, section 5.1.2)."""
        expected = "the base64 of 32-byte Ed25519 public keys"
        texts = self.listed(name, values.ed25519_public_key, expected)
        return [values.ed25519_bytes(text) for text in texts]

    def web_address(self, name: str, default: str) -> str:
        expected = "an address such as https://connections.example.com, without query or fragment"
        return self.parsed(name, default, values.web_address, expected)

    def timestamp_url(self, name: str) -> str:
        """Return an authority's address; without the extra package none can be asked."""
        url = self.web_address(name, "")
        if url and find_spec("rfc3161_client") is None:
            wanted = "pip install -r requirements-timestamps.txt"
            raise ImproperlyConfigured(f"{name} needs a package that is not installed: {wanted}")
        return url

    def certificates(self, name: str) -> tuple[Certificate, ...]:
        """Return the certificates of the PEM file of that path; none where it is absent."""
        expected = "the path of a PEM file with certificates"
        return self.path(name, (), values.certificates, expected)

    def proxy_url(self, name: str) -> str:
        expected = "an address such as http://user:password@proxy.example.com:3128"
        return self.parsed(name, "", values.proxy_url, expected)

    def host_patterns(self, name: str) -> tuple[HostPattern, ...]:
        """Return hosts as a proxy's exceptions name them."""
        expected = (
            "names such as example.com, addresses, networks such as 10.0.0.0/8, each with a port or"
            " without (an IPv6 address in brackets then), or *"
        )
        return tuple(map(host_pattern, self.listed(name, values.host_pattern, expected)))

    def hosts(self, name: str) -> list[str]:
        return self.listed(name, values.host, "host names without scheme and port")

    def origins(self, name: str) -> list[str]:
        return self.listed(name, values.origin, "scheme and host, as in https://example.com")

    def browser_origins(self, name: str) -> list[str]:
        """Return origins as browsers write them: no path, and the scheme's own port left out."""
        expected = "origins as browsers send them, as in https://app.example.com; * is none"
        return self.listed(name, values.browser_origin, expected)

    def listen_address(self, name: str) -> tuple[str, int] | None:
        expected = "a host and a port, such as 127.0.0.1:9101"
        return self.parsed(name, None, values.listen_address, expected)

    def redis_url(self, name: str) -> str:
        expected = "an address that begins with redis://, rediss:// or unix://"
        return self.parsed(name, "", values.redis_url, expected)

    def broker_url(self, name: str, default: str) -> str:
        expected = "an address such as redis://… or amqp://…"
        return self.parsed(name, default, values.broker_url, expected)

    def rate_limits(self) -> dict[str, rate_limits.Limit]:
        """Return each policy's burst and refill a minute, as `RATE_LIMIT_<POLICY>` says."""
        given = [name for name in self.variables if name.startswith(rate_limits.PREFIX)]
        known = {f"{rate_limits.PREFIX}{policy}" for policy in rate_limits.DEFAULTS}
        if unknown := set(given) - known:
            wanted = f"there is no such policy: give one of {', '.join(sorted(known))}"
            raise ImproperlyConfigured(f"{min(unknown)} is wrong: {wanted}")
        expected = f"burst/per-minute, such as 100/100, each from 1 to {rate_limits.MOST}"
        return {
            policy: self.parsed(
                f"{rate_limits.PREFIX}{policy}", default, rate_limits.parse_limit, expected
            )
            for policy, default in rate_limits.DEFAULTS.items()
        }

    def database(self, name: str, default: str) -> dict[str, Any]:
        """Return Django's description of the database at an address (django-environ's schemes)."""
        expected = "postgres://user@host/name or sqlite:///path"
        found = self.parsed(name, values.database(default), values.database, expected)
        is_file = found["ENGINE"] == "django.db.backends.sqlite3"
        return found | {"NAME": str(PROJECT / found["NAME"])} if is_file else found

    def networks(self, name: str, *, loopback: bool) -> list[str]:
        """Return networks in CIDR notation (RFC 4632, section 3.1).

        Args:
            loopback: Whether this machine itself is among them.
        """
        found = self.listed(name, values.network, "networks such as 10.1.0.0/16")
        return [*found, *(("127.0.0.0/8", "::1/128") if loopback else ())]

    def waits(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """Return seconds between tries, in their order."""
        expected = "whole numbers of seconds up to ten years"
        return tuple(map(int, self.listed(name, values.seconds, expected))) or default

    def files(self, name: str) -> list[Path]:
        """Return the file of that path; none where the variable is absent."""
        path = self.path(name, None, values.file, "the path of a file")
        return [path] if path else []

    def image(self, name: str) -> Path | None:
        """Return the path of a picture; None where the variable is absent."""
        expected = "the path of a file that ends in .svg, .png, .jpg or .webp"
        return self.path(name, None, values.image, expected)

    def identity(self, name: str) -> Identity:
        """Return the issuers and transmitters of the file of that path; none where it is absent."""
        path = self.path(name, None, values.file, "the path of a file")
        try:
            return read_identity(path) if path else NOBODY
        except IssuersError as error:
            raise ImproperlyConfigured(f"{name} is wrong: it must be {error}") from None

    @staticmethod
    def single_sign_on(**given: str) -> SingleSignOn | None:
        """Return operators' single sign-on, whose variables have these texts; None for none."""
        try:
            return single_sign_on(SingleSignOn(**given))
        except IncompleteError as error:
            raise ImproperlyConfigured(str(error)) from None

    def folder(self, name: str, default: Path) -> Path:
        """Return a folder, which need not be there yet."""
        return self.path(name, default, values.folder, "the path of a folder")

    def metrics_folder(self, name: str, default: str) -> Path | None:
        """Return the folder of the processes' metrics, made ready; None where none is named."""
        path = self.text(name, default)
        expected = "a folder that we may write to and others may not"
        return self._parse(name, str(PROJECT / path), metrics_folder, expected) if path else None

    def export_authorities(self, name: str) -> None:
        """Have a file of certificates, or a folder of them, found by libraries that look there."""
        expected = "the path of a file or folder with certificates"
        if path := self.path(name, None, values.file_or_folder, expected):
            os.environ[name] = str(path)

    def written_file(self, name: str, default: Path) -> Path:
        """Return the path of a file that is made when it is first written to."""
        return self.path(name, default, values.written_file, "the path of a file, not a folder")

    def oauth_clients(self) -> dict[str, dict[str, Any]]:
        """Return the clients registered at platforms, by the platforms' slugs.

        Each has `client_id`, `client_secret`, `redirect_uris` and `webhook_key`; what is absent is
        empty.
        """
        found = (CLIENT_VARIABLE.fullmatch(name) for name in self.variables)
        slugs = sorted({match["slug"] for match in found if match})
        return {slug.lower(): self._oauth_client(f"OAUTH_{slug}") for slug in slugs}

    def _oauth_client(self, prefix: str) -> dict[str, Any]:
        expected = "absolute addresses without fragments"
        return {
            "client_id": self.text(f"{prefix}_CLIENT_ID"),
            "client_secret": self.text(f"{prefix}_CLIENT_SECRET"),
            "webhook_key": self.text(f"{prefix}_WEBHOOK_KEY"),
            "redirect_uris": self.listed(f"{prefix}_REDIRECT_URIS", values.redirect_uri, expected),
        }

    @staticmethod
    def _parse(name: str, value: str, parse: Callable[[str], T], expected: str) -> T:
        try:
            return parse(value)
        except (ValueError, OSError):
            # A path may be too long, or lie where we may not look.
            raise ImproperlyConfigured(f"{name} is wrong: it must be {expected}") from None
