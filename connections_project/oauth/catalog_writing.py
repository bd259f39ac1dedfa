"""A catalogue table that is written from what an authorization server publishes."""

import json
from collections.abc import Iterator
from typing import Any

from connections_project.oauth.discovery import Metadata, MetadataError

# Those that the client can do, the safest first.
METHODS = ("client_secret_basic", "client_secret_post", "none")
WANTED_SCOPES = ("openid", "profile", "offline_access")


def entry(metadata: Metadata, *, name: str) -> dict[str, Any]:
    """Return the values of a table, with `revocation` as a table of its own.

    Raises:
        MetadataError: An endpoint is missing, or no client of ours can authenticate there.
    """
    endpoints = {
        key: metadata.endpoint(key) for key in ("authorization_endpoint", "token_endpoint")
    }
    for key, url in endpoints.items():
        if not url:
            raise MetadataError(f"{metadata.url}: has no {key} that may be used")
    known = metadata.authentication_methods
    method = next((one for one in METHODS if one in known), None)
    if method is None:
        raise MetadataError(f"{metadata.url}: clients authenticate by {', '.join(known)} alone")
    values = {"name": name, "issuer": metadata.issuer, **endpoints}
    return {**values, "token_endpoint_auth_method": method, **dict(_more(metadata))}


def _more(metadata: Metadata) -> Iterator[tuple[str, Any]]:
    iss = "authorization_response_iss_parameter_supported"
    if metadata.flag(iss):
        yield iss, True
    if "S256" not in (metadata.texts("code_challenge_methods_supported") or ()):
        yield "code_challenge_method", "none"
    scopes = metadata.texts("scopes_supported") or ()
    if wanted := [one for one in WANTED_SCOPES if one in scopes]:
        yield "scopes", wanted
    if "refresh_token" not in (metadata.texts("grant_types_supported") or ("refresh_token",)):
        yield "refresh", "none"
    if identity := metadata.endpoint("userinfo_endpoint"):
        yield "identity_endpoint", identity
    if revocation := metadata.endpoint("revocation_endpoint"):
        yield "revocation", {"endpoint": revocation, **_verification(metadata)}


def _verification(metadata: Metadata) -> dict[str, str]:
    if introspection := metadata.endpoint("introspection_endpoint"):
        return {"verify": "introspection", "introspection_endpoint": introspection}
    return {"verify": "identity"} if metadata.endpoint("userinfo_endpoint") else {}


def as_toml(values: dict[str, Any], *, app: str, slug: str, scopes: tuple[str, ...]) -> str:
    """Write a table, with remarks on what no document says.

    Args:
        values: By `entry`.
    """
    table, values = f"{app}.{slug}", dict(values)
    revocation = values.pop("revocation", None)
    lines = [f"[{table}]", *map(_line, values.items())]
    if scopes:
        lines.append(f"# The platform names these scopes: {', '.join(scopes)}")
    lines.append("# help_url: the page on which a user removes the app by hand.")
    if revocation is None:
        lines.append("# The platform publishes no revocation endpoint.")
    else:
        lines += ["", f"[{table}.revocation]", *map(_line, revocation.items())]
        lines.append('# blast_radius: "grant" where one revocation ends all of a user\'s tokens.')
    return "\n".join(lines)


def _line(pair: tuple[str, Any]) -> str:
    # A JSON text of printable characters is one of TOML too.
    return f"{pair[0]} = {json.dumps(pair[1], ensure_ascii=False)}"
