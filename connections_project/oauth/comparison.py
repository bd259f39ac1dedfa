"""How a platform's entry differs from what its authorization server publishes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from connections_project.oauth.catalog import Platform
from connections_project.oauth.discovery import Metadata

Severity = Literal["problem", "notice"]


@dataclass(frozen=True)
class Finding:
    """Something about an entry. A problem has to be mended, a notice may be meant so.

    Args:
        key: Of the catalogue.
    """

    severity: Severity
    key: str
    text: str


def problem(key: str, text: str) -> Finding:
    return Finding("problem", key, text)


def notice(key: str, text: str) -> Finding:
    return Finding("notice", key, text)


def differences(platform: Platform, metadata: Metadata) -> Iterator[Finding]:
    """Compare an entry with its server's document."""
    yield from _issuer(platform, metadata)
    for key in ("authorization_endpoint", "token_endpoint"):
        yield from _address(key, getattr(platform, key), metadata.endpoint(key))
    yield from _authentication(platform, metadata)
    yield from _code_challenge(platform, metadata)
    yield from _grants(platform, metadata)
    yield from _scopes(platform, metadata)
    yield from _revocation(platform, metadata)


def _address(key: str, ours: str, theirs: str) -> Iterator[Finding]:
    if theirs and ours != theirs:
        yield problem(key, f"is {ours or 'not there'}; the platform publishes {theirs}")


def _issuer(platform: Platform, metadata: Metadata) -> Iterator[Finding]:
    if platform.issuer:
        yield from _address("issuer", platform.issuer, metadata.issuer)
    else:
        yield notice("issuer", f"is not there; the platform publishes {metadata.issuer}")
    key = "authorization_response_iss_parameter_supported"
    required, sent = platform.authorization_response_iss_parameter_supported, metadata.flag(key)
    if required and not sent:
        yield problem(key, "is true; the platform doesn't say that it sends an iss")
    elif sent and not required:
        yield notice(key, "is false; the platform sends an iss, which could be required")


def _authentication(platform: Platform, metadata: Metadata) -> Iterator[Finding]:
    method, known = platform.token_endpoint_auth_method, metadata.authentication_methods
    if method not in known:
        supported = ", ".join(known) or "none"
        yield problem("token_endpoint_auth_method", f"is {method}; the platform knows {supported}")


def _code_challenge(platform: Platform, metadata: Metadata) -> Iterator[Finding]:
    key, known = "code_challenge_method", metadata.texts("code_challenge_methods_supported")
    if platform.code_challenge_method == "S256" and known is not None and "S256" not in known:
        yield problem(key, "is S256; the platform does not know it")
    elif platform.code_challenge_method == "none" and "S256" in (known or ()):
        yield notice(key, "is none; the platform knows S256")


def _grants(platform: Platform, metadata: Metadata) -> Iterator[Finding]:
    grants = metadata.texts("grant_types_supported")
    by_refresh_token = platform.refresh in {"rotating", "static"}
    if by_refresh_token and grants is not None and "refresh_token" not in grants:
        yield notice("refresh", f"is {platform.refresh}; the platform names no refresh_token grant")
    if metadata.flag("require_pushed_authorization_requests"):
        yield problem("authorization_endpoint", "takes only pushed requests (RFC 9126)")


def _scopes(platform: Platform, metadata: Metadata) -> Iterator[Finding]:
    known = metadata.texts("scopes_supported")
    # A server may leave scopes out on purpose (RFC 8414, section 2).
    missing = [one for one in platform.scopes if known is not None and one not in known]
    if missing:
        yield notice("scopes", f"has {', '.join(missing)}, which the platform does not name")


def _revocation(platform: Platform, metadata: Metadata) -> Iterator[Finding]:
    theirs, revocation = metadata.endpoint("revocation_endpoint"), platform.revocation
    if revocation is None:
        if theirs:
            yield notice("revocation", f"is not there; the platform revokes at {theirs}")
        return
    if revocation.kind == "rfc7009":
        yield from _address("revocation.endpoint", revocation.endpoint, theirs)
    introspection = metadata.endpoint("introspection_endpoint")
    if revocation.verify == "introspection":
        ours = platform.introspects_at
        yield from _address("revocation.introspection_endpoint", ours, introspection)
    elif introspection:
        used = f"is {revocation.verify}; the platform introspects at {introspection}"
        yield notice("revocation.verify", used)
