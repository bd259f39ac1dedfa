"""The file of `IDENTITY_ISSUERS`: whose tokens let people in, and who tells what became of them."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from connections_project.oauth.loopback import is_loopback

Table = TypeVar("Table", "Issuer", "Transmitter")

# RFC 7518, section 3.1, and RFC 8037: with none of these could a verifier sign by itself, as with
# HS256, where whoever knows the public key would be the issuer.
ASYMMETRIC = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
LONGEST_ISSUER = 255


class IssuersError(ValueError):
    """The file is wrong; the text names table and key, and quotes no value."""


@dataclass(frozen=True)
class Issuer:
    """An issuer of access tokens; `issuer` equals their `iss` exactly.

    An empty `jwks_uri` is read from the issuer's metadata; an empty `principal_type_claim` makes
    everybody a user.
    """

    name: str
    issuer: str
    audiences: tuple[str, ...]
    jwks_uri: str = ""
    algorithms: tuple[str, ...] = ("RS256", "ES256", "EdDSA")
    subject_claim: str = "sub"
    email_claim: str = "email"
    principal_type_claim: str = ""
    leeway_seconds: int = 30


@dataclass(frozen=True)
class Transmitter:
    """A sender of security events (RFC 8417); they speak of people of the issuer `events_issuer`,
    which is a table's name. An empty `jwks_uri` is read from the transmitter's metadata."""

    name: str
    issuer: str
    audience: str
    events_issuer: str
    jwks_uri: str = ""


@dataclass(frozen=True)
class Identity:
    """What the file says: issuers by their `iss`, transmitters by their tables' names."""

    issuers: Mapping[str, Issuer]
    transmitters: Mapping[str, Transmitter]

    def issuer_named(self, name: str) -> Issuer | None:
        """Return the issuer of the table `[issuers.<name>]`; None where there is none."""
        return next((one for one in self.issuers.values() if one.name == name), None)


NOBODY = Identity({}, {})


def read_identity(path: Path) -> Identity:
    """Read the file.

    Raises:
        IssuersError: It is no TOML, or a table, key or value of it is wrong.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise IssuersError("a TOML file in UTF-8 that can be read") from None
    if unknown := tables.keys() - {"issuers", "transmitters"}:
        raise IssuersError(f"without {min(unknown)}: there are [issuers.…] and [transmitters.…]")
    issuers = _read(tables, "issuers", Issuer)
    by_iss: dict[str, Issuer] = {}
    for one in issuers:
        if by_iss.setdefault(one.issuer, one) is not one:
            raise IssuersError(f"such that issuers.{one.name}.issuer is no other table's")
    transmitters = {one.name: one for one in _read(tables, "transmitters", Transmitter)}
    for sender in transmitters.values():
        if sender.events_issuer not in {issuer.name for issuer in issuers}:
            raise IssuersError(
                f"such that transmitters.{sender.name}.events_issuer names a table of issuers"
            )
    return Identity(by_iss, transmitters)


def is_fetchable(address: str) -> bool:
    """Whether keys may be had from an address: https, or http on this machine."""
    try:
        parts = urlsplit(address)
        return _is_web(parts) and (parts.scheme == "https" or is_loopback(parts.hostname or ""))
    except ValueError:
        return False


def _is_web(parts: SplitResult) -> bool:
    # Reading the port raises ValueError for one that is no number.
    clean = "@" not in parts.netloc and parts.geturl().isprintable() and " " not in parts.geturl()
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and clean


def _read(tables: Mapping[str, Any], kind: str, table: type[Table]) -> list[Table]:
    found = tables.get(kind, {})
    if not isinstance(found, dict):
        raise IssuersError(f"such that {kind} holds tables, as [{kind}.main]")
    return [_table(values, f"{kind}.{name}", name, table) for name, values in found.items()]


def _table(values: Any, where: str, name: str, table: type[Table]) -> Table:
    if not isinstance(values, dict):
        raise IssuersError(f"such that {where} is a table")
    known = {each.name: each for each in fields(table) if each.name != "name"}
    if unknown := values.keys() - known.keys():
        raise IssuersError(f"without {where}.{min(unknown)}: there is no such key")
    for key, each in known.items():
        if each.default is MISSING and key not in values:
            raise IssuersError(f"such that {where}.{key} is given")
    return table(name=name, **{key: _value(values[key], f"{where}.{key}", key) for key in values})


def _value(value: Any, where: str, key: str) -> Any:
    rule, expected = _RULES.get(key, (_filled, "text that is not empty"))
    try:
        return rule(value)
    except ValueError:
        raise IssuersError(f"such that {where} is {expected}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError
    return value


def _filled(value: Any) -> str:
    if not _text(value).strip():
        raise ValueError
    return str(value)


def _issuer(value: Any) -> str:
    # OpenID Connect Core, section 2: neither query nor fragment.
    if not is_fetchable(_filled(value)) or {"?", "#"} & set(value) or len(value) > LONGEST_ISSUER:
        raise ValueError
    return str(value)


def _address(value: Any) -> str:
    if value != "" and (not is_fetchable(_filled(value)) or "#" in value):
        raise ValueError
    return str(value)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError
    return tuple(map(_filled, value))


def _algorithms(value: Any) -> tuple[str, ...]:
    if not set(_texts(value)) <= set(ASYMMETRIC):
        raise ValueError
    return tuple(value)


def _leeway(value: Any) -> int:
    # A bool is an int to Python, but not to whoever wrote the file.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 600:
        raise ValueError
    return value


_RULES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "issuer": (_issuer, "an address of at most 255 characters: https, or http on loopback"),
    "jwks_uri": (_address, "an address: https, or http on loopback"),
    "audiences": (_texts, "a list of texts that is not empty"),
    "algorithms": (_algorithms, f"a list of asymmetric ones, of {', '.join(ASYMMETRIC)}"),
    "principal_type_claim": (_text, "text"),
    "leeway_seconds": (_leeway, "a whole number from 0 to 600"),
}
