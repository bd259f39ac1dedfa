"""The rule of each key of the catalogue, and what keys must not say together."""

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from connections_project.oauth.catalog_values import (
    Rule,
    count,
    day,
    days,
    endpoint,
    endpoint_of_account,
    filled_text,
    flag,
    header_value,
    http_status,
    list_of,
    one_of,
    text,
)
from connections_project.oauth.platform_entries import (
    ACCOUNT_FIELDS,
    BALANCE_FIELDS,
    GRANTED_ACCOUNT_FIELDS,
    TRANSACTION_FIELDS,
    DeadGrantMatcher,
    Platform,
)

# What the client itself says in an authorization request (RFC 6749, 4.1.1; RFC 7636, 4.3).
OWN_PARAMETERS = frozenset(
    {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
    }
)


OWN_HEADERS = frozenset(
    {
        *("authorization", "cookie", "host", "connection", "content-length", "content-type"),
        *("transfer-encoding", "user-agent"),
    }
)


def params(value: Any) -> dict[str, str]:
    """Parse further query parameters, but none that would replace the client's own."""
    if not isinstance(value, dict):
        raise ValueError("must be a table of texts")  # noqa: TRY004
    taken = OWN_PARAMETERS & value.keys()
    if taken:
        raise ValueError(f"may not say {', '.join(sorted(taken))}: the client says that itself")
    return {text(name): text(each) for name, each in value.items()}


def field_map(default: Mapping[str, str]) -> Rule:
    """Return the rule of a table from our field names to paths in a platform's JSON."""

    def rule(value: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            raise ValueError("must be a table of texts")  # noqa: TRY004
        unknown = sorted(value.keys() - default.keys())
        if unknown:
            raise ValueError(f"has no field {unknown[0]}; its fields are {', '.join(default)}")
        return {**default, **{name: text(path) for name, path in value.items()}}

    return rule


def headers(value: Any) -> dict[str, str]:
    """Take further headers, but none that would replace what the client says itself."""
    if not isinstance(value, dict):
        raise ValueError("must be a table of texts")  # noqa: TRY004
    for name in value:
        if not re.fullmatch(r"[A-Za-z0-9-]+", name) or name.lower() in OWN_HEADERS:
            raise ValueError(f"may not say {name}")
    return {name: header_value(each) for name, each in value.items()}


def excluded(value: Any) -> dict[str, tuple[str, ...]]:
    """Take a table from dotted paths to lists of texts."""
    if not isinstance(value, dict):
        raise ValueError("must be a table of lists of texts")  # noqa: TRY004
    texts = list_of(filled_text, empty=False)
    return {filled_text(path): texts(each) for path, each in value.items()}


def days_by_name(value: Any) -> dict[str, date]:
    """Take a table from names to dates."""
    if not isinstance(value, dict):
        raise ValueError("must be a table of dates")  # noqa: TRY004
    return {filled_text(name): day(each) for name, each in value.items()}


def paths_by_name(value: Any) -> dict[str, str]:
    """Take a table from names to dotted paths."""
    if not isinstance(value, dict):
        raise ValueError("must be a table of texts")  # noqa: TRY004
    return {filled_text(name): filled_text(path) for name, path in value.items()}


def json_values(value: Any) -> dict[str, str]:
    """Take a table from dotted paths into JSON to the texts or whole numbers expected there."""
    if not isinstance(value, dict) or not value:
        raise ValueError("must be a table that is not empty")
    if any(isinstance(one, bool) or not isinstance(one, str | int) for one in value.values()):
        raise ValueError("must have texts or whole numbers as its values")
    return {filled_text(path): str(one) for path, one in value.items()}


ANSWER: dict[str, Rule] = {
    "status": http_status,
    "error": filled_text,
    "text": filled_text,
    "json": json_values,
}


def dead_grant(value: Any) -> DeadGrantMatcher:
    """Parse one matcher of `dead_grant`."""
    becomes = one_of("expired", "revoked", "unchanged")
    return _matcher(value, {**ANSWER, "at": one_of("token", "api"), "becomes": becomes})


def dead_token(value: Any) -> DeadGrantMatcher:
    """Parse one matcher of a revocation's `dead_token`."""
    return _matcher(value, ANSWER)


def _matcher(value: Any, rules: Mapping[str, Rule]) -> DeadGrantMatcher:
    """Parse a matcher; a server fault or a rate limit never means that anything is dead."""
    if not isinstance(value, dict) or not value.keys() & {"status", "error", "text", "json"}:
        raise ValueError("each must be a table with a status, an error, a text or a json")
    if unknown := sorted(value.keys() - rules.keys()):
        raise ValueError(f"has no key {unknown[0]}; its keys are {', '.join(rules)}")
    matcher = DeadGrantMatcher(**{key: rules[key](each) for key, each in value.items()})
    if matcher.status is not None and (matcher.status >= 500 or matcher.status == 429):
        raise ValueError("a status of 429, or of 500 and above, never means a dead grant")
    return matcher


def adapter(value: Any) -> str:
    """Parse the dotted path of a module that exists; it is imported when it is first needed."""
    if text(value) == "":
        return ""
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", value):
        raise ValueError("must be the dotted path of a module")
    try:
        found = importlib.util.find_spec(value)
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise ValueError("names a module that doesn't exist")
    return str(value)


def modules_in(package: str) -> list[str]:
    """Return the names of a package's modules, none of which is imported."""
    folder = importlib.import_module(package).__path__
    return [one.name for one in pkgutil.iter_modules(folder)]


def distinct_tokens(value: Any) -> tuple[str, ...]:
    tokens: tuple[str, ...] = list_of(one_of("refresh_token", "access_token"), empty=False)(value)
    if len(set(tokens)) < len(tokens):
        raise ValueError("must not name a token twice")
    return tokens


PLATFORM: dict[str, Rule] = {
    "name": filled_text,
    "status": one_of("active", "planned", "unsupported"),
    "authorization_endpoint": endpoint,
    "token_endpoint": endpoint,
    "issuer": endpoint,
    "authorization_response_iss_parameter_supported": flag,
    "token_endpoint_auth_method": one_of("client_secret_basic", "client_secret_post", "none"),
    "client_id_parameter": filled_text,
    "code_challenge_method": one_of("S256", "none"),
    "scopes": list_of(filled_text),
    "scope_separator": text,
    "extra_authorization_params": params,
    "refresh": one_of("rotating", "static", "none", "self_exchange"),
    "grant_lifetime_days": days,
    "identity_endpoint": endpoint,
    "account_id_field": text,
    "account_name_field": text,
    "account_picture_field": text,
    "accounts_endpoint": endpoint,
    "accounts_field": text,
    "account_fields": field_map(ACCOUNT_FIELDS),
    "balance_endpoint": endpoint_of_account,
    "balance_fields": field_map(BALANCE_FIELDS),
    "transactions_endpoint": endpoint_of_account,
    "transactions_field": text,
    "transaction_fields": field_map(TRANSACTION_FIELDS),
    "transaction_excluded": excluded,
    "transactions_newest_first": flag,
    "currency": text,
    "minor_units": flag,
    "paging": one_of("none", "cursor", "link", "offset"),
    "paging_field": text,
    "paging_parameter": text,
    "page_size": count,
    "granted_accounts_endpoint": endpoint,
    "granted_accounts_field": text,
    "granted_account_fields": field_map(GRANTED_ACCOUNT_FIELDS),
    "dead_grant": list_of(dead_grant),
    "passing_errors": list_of(filled_text),
    "token_identifier_algs": list_of(one_of("prefix", "hash_base64_sha512_sha512")),
    "deauthorization": one_of("", *modules_in("connections_project.webhooks.senders")),
    "risc_configuration_endpoint": endpoint,
    "help_url": endpoint,
    "adapter": adapter,
    "introspection_endpoint": endpoint,
    "checked_on": day,
    "ends_on": days_by_name,
    "api_base": endpoint,
    "fallback_api_base": endpoint,
    "user_agent": header_value,
    "extra_headers": headers,
    "kept_token_fields": paths_by_name,
    "api_version": text,
    "text_max": count,
    "no_publishing": text,
}
REVOCATION: dict[str, Rule] = {
    "kind": one_of("rfc7009", "bearer_post", "json_post", "delete", "adapter"),
    "endpoint": endpoint,
    "tokens": distinct_tokens,
    "client_auth": flag,
    "success_status": list_of(http_status, empty=False),
    "blast_radius": one_of("token", "grant", "client"),
    "dead_token": list_of(dead_token),
    "verify": one_of("identity", "introspection", "none"),
    "introspection_endpoint": endpoint,
}


def contradictions(platform: Platform) -> Iterator[tuple[str, str]]:
    """Name each key that is wrong beside the others, with what to do."""
    for key in ("authorization_endpoint", "token_endpoint"):
        if platform.status == "active" and not getattr(platform, key):
            yield key, "is missing: an active platform needs it"
    if platform.authorization_response_iss_parameter_supported and not platform.issuer:
        yield "issuer", "is missing: an iss is required, and there is nothing to compare it with"
    if platform.deauthorization == "google_risc" and not platform.risc_configuration_endpoint:
        yield "risc_configuration_endpoint", "is missing: it says whose signatures are good"
    if platform.client_id_parameter in platform.extra_authorization_params:
        yield "extra_authorization_params", "may not say the client id: the client does"
    if platform.paging in {"cursor", "offset"} and not platform.paging_parameter:
        yield "paging_parameter", "is missing: which parameter names the next page"
    if platform.paging == "offset" and not platform.page_size:
        # A list that knows no offset would come again and again.
        yield "page_size", "is missing: how many entries a page has that isn't the last"
