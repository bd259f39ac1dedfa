"""What the text of a setting may be. Each function gives its value, or raises ValueError.

None quotes the text: it may be a secret.
"""

import base64
import re
import warnings
from email.utils import parseaddr
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import environ
from cryptography.fernet import Fernet
from cryptography.x509 import Certificate, load_pem_x509_certificates
from django.core.exceptions import ImproperlyConfigured
from redis.connection import parse_url

from connections_project.oauth import host_patterns

DATABASE_SCHEMES = {"sqlite", "postgres", "postgresql", "psql", "pgsql"}
_BOOLEANS = {
    "true": True, "1": True, "yes": True, "on": True,
    "false": False, "0": False, "no": False, "off": False,
}  # fmt: skip
# As ALLOWED_HOSTS has them: without scheme and port, with a dot in front for all subdomains.
_HOST = re.compile(r"\*|\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", re.IGNORECASE)


def text(given: str) -> str:
    """Take what UTF-8 has bytes for; other bytes come as halves of pairs (PEP 383)."""
    given.encode()
    return given


def parse_boolean(text: str) -> bool:
    """Read true/false, 1/0, yes/no or on/off, in any case.

    Raises:
        ValueError: It is none of these.
    """
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError("not a boolean: give true/false, 1/0, yes/no or on/off") from None


def whole_number(text: str, *, least: int, most: int) -> int:
    number = int(text)
    if not least <= number <= most:
        raise ValueError
    return number


def share(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1:
        raise ValueError
    return number


def fernet_key(text: str) -> str:
    Fernet(text)
    return text


def ed25519_bytes(text: str) -> bytes:
    """Decode a seed or a public key: base64 in either alphabet (RFC 4648, sections 4 and 5), padded
    or not."""
    padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    seed = base64.b64decode(padded, validate=True)
    if len(seed) != 32:
        raise ValueError
    return seed


def ed25519_public_key(text: str) -> str:
    """Parse any 32 bytes: whether they are a point of the curve shows when a signature is tried."""
    ed25519_bytes(text)
    return text


def host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError
    return text


def web_address(text: str) -> str:
    parts = urlsplit(text)
    if not _is_web(parts) or parts.query or parts.fragment or not text.isprintable():
        raise ValueError
    return text


def proxy_url(text: str) -> str:
    """Take the address of an HTTP proxy, with or without credentials.

    Those are sent in Latin-1, and only where there are both parts (`requests.utils`).
    """
    parts = urlsplit(text)
    is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    if not is_whole or parts.path not in {"", "/"} or parts.query or parts.fragment or " " in text:
        raise ValueError
    if "@" in parts.netloc and (not parts.username or parts.password is None):
        raise ValueError
    unquote(f"{parts.username}{parts.password}").encode("latin-1")
    return text


def host_pattern(text: str) -> str:
    host_patterns.host_pattern(text)
    return text


def origin(text: str) -> str:
    """Parse a scheme and a host (RFC 6454, section 4): Django compares it to the header's text."""
    if urlsplit(web_address(text)).path:
        raise ValueError
    return text


def browser_origin(text: str) -> str:
    """Take an origin that equals what a browser sends (Fetch Standard, section 3.1), or none would
    ever match: lower case, and neither a slash at the end nor the scheme's own port."""
    parts = urlsplit(origin(text))
    own_port = {"http": 80, "https": 443}[parts.scheme]
    if text != text.lower() or not text.isascii() or "*" in text or parts.port == own_port:
        raise ValueError
    return text


def redirect_uri(text: str) -> str:
    """Parse an absolute address without a fragment (RFC 6749, section 3.1.2)."""
    if not urlsplit(text).scheme or "#" in text or not text.isprintable():
        raise ValueError
    return text


def redis_url(text: str) -> str:
    parse_url(text)  # type: ignore[no-untyped-call]  # The driver is typed in parts.
    return text


def broker_url(text: str) -> str:
    """Take the address of a broker that Celery has a transport for."""
    from kombu.transport import TRANSPORT_ALIASES  # Only where there is a broker.

    # What follows a plus is the transport's own: redis+socket, sqla+postgresql.
    transport, _, _ = urlsplit(text).scheme.partition("+")
    if "://" not in text or transport not in TRANSPORT_ALIASES:
        raise ValueError
    return text


def broker_at(redis_url: str) -> str:
    """Return the address of a Redis as Celery writes it, which calls a socket otherwise."""
    if not redis_url.startswith("unix://"):
        return redis_url
    return "redis+socket" + re.sub(r"([?&])db=", r"\1virtual_host=", redis_url[len("unix") :])


def database(text: str) -> dict[str, Any]:
    """Read an address in django-environ's schemes as Django's description of a database."""
    if urlsplit(text).scheme not in DATABASE_SCHEMES:
        raise ValueError
    with warnings.catch_warnings(action="error"):
        # It warns, and quotes the host, where the path of an SQLite file lacks its slash.
        try:
            found: dict[str, Any] = environ.Env.db_url_config(text)
        except (UserWarning, ImproperlyConfigured) as error:
            raise ValueError from error
    if found["NAME"] in {"", ":memory:"}:
        # A database in memory would be another one in every thread.
        raise ValueError
    return found


def listen_address(text: str) -> tuple[str, int]:
    """Parse a host and a port, as in 0.0.0.0:9101 or [::]:9101."""
    name, _, port = text.rpartition(":")
    if name.startswith(("*", ".")):
        raise ValueError
    return host(name).strip("[]"), whole_number(port, least=1, most=65_535)


def network(text: str) -> str:
    return str(ip_network(text))


def seconds(text: str) -> str:
    return str(whole_number(text, least=0, most=10 * 365 * 24 * 3600))


def installed_module(text: str) -> str:
    try:
        found = find_spec(text)
    except ImportError:
        found = None
    if found is None:
        raise ValueError
    return text


def file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError
    return path


def file_or_folder(path: Path) -> Path:
    if not path.exists():
        raise ValueError
    return path


def certificates(path: Path) -> tuple[Certificate, ...]:
    """Read the certificates of a PEM file."""
    return tuple(load_pem_x509_certificates(file(path).read_bytes()))


def mail_backend(text: str) -> str:
    """Take the dotted path of a class in a module that is installed."""
    module, dot, name = text.rpartition(".")
    if not dot or not name.isidentifier():
        raise ValueError
    installed_module(module)
    return text


def mail_address(text: str) -> str:
    """Take an address, with or without a name: `Acme <no-reply@example.com>`."""
    _, address = parseaddr(text)
    user, at, domain = address.rpartition("@")
    if not at or not user or not domain or not text.isprintable() or " " in address:
        raise ValueError
    return text


def image(path: Path) -> Path:
    """Take a file of a kind that every browser shows, by its ending."""
    if path.suffix.lower() not in {".svg", ".png", ".jpg", ".jpeg", ".webp"}:
        raise ValueError
    return file(path)


def folder(path: Path) -> Path:
    if path.exists() and not path.is_dir():
        raise ValueError
    return path


def written_file(path: Path) -> Path:
    if path.is_dir():
        raise ValueError
    return path


def _is_web(parts: SplitResult) -> bool:
    is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
    # Reading the port raises ValueError for one that is no number.
    return is_web and parts.port != 0 and "@" not in parts.netloc and " " not in parts.netloc
