"""The OAuth 2.0 client: everything the service asks of an authorization server."""

from dataclasses import replace
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from connections_project.oauth.answers import require_living_grant
from connections_project.oauth.catalog import Platform
from connections_project.oauth.client_authentication import authenticated_form
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.granted import GrantedAccount, GrantResult, granted_accounts
from connections_project.oauth.identity import (
    Identity,
    fetch_json,
    granting_user,
    identify,
    with_possible_ids,
)
from connections_project.oauth.kept_fields import kept_in
from connections_project.oauth.observers import calling
from connections_project.oauth.probing import accepts, introspect, is_accepted
from connections_project.oauth.revoking import revoke
from connections_project.oauth.token_answers import (
    UnusableTokensError,
    ask_for_tokens,
    read_tokens,
    with_kept_fields,
)
from connections_project.oauth.tokens import (
    ClientRegistration,
    TokenSet,
    require_vschar,
)
from connections_project.oauth.transport import Answer

__all__ = [
    "ClientRegistration",
    "GrantResult",
    "GrantedAccount",
    "Identity",
    "TokenSet",
    "UnusableTokensError",
    "accepts",
    "authorization_url",
    "exchange_code",
    "fetch_json",
    "granted_accounts",
    "granting_user",
    "identify",
    "introspect",
    "is_accepted",
    "refresh",
    "revoke",
    "with_possible_ids",
]


def authorization_url(
    platform: Platform,
    registration: ClientRegistration,
    *,
    redirect_uri: str,
    state: str,
    code_challenge: str | None,
) -> str:
    """Return the address at which a user grants access (RFC 6749, section 4.1.1)."""
    parameters = {
        "response_type": "code",
        platform.client_id_parameter: registration.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
    }
    if platform.scopes:
        parameters["scope"] = platform.scope_separator.join(platform.scopes)
    if code_challenge is not None:
        parameters["code_challenge"] = code_challenge
        # Without its method a challenge would mean "plain" (RFC 7636, section 4.3).
        parameters["code_challenge_method"] = "S256"
    parameters |= platform.extra_authorization_params
    return _with_query(platform.authorization_endpoint, parameters)


@calling("exchange")
def exchange_code(
    platform: Platform,
    registration: ClientRegistration,
    *,
    code: str,
    redirect_uri: str,
    code_verifier: str | None,
    within: float = 10.0,
) -> TokenSet:
    """Exchange an authorization code for tokens (RFC 6749, section 4.1.3).

    Args:
        code: From the callback; it is spent by the first try, so there is no second.
        redirect_uri: Exactly the one that the authorization request bore.
        code_verifier: The PKCE verifier, None where the platform has no PKCE.
        within: Seconds for the whole call.

    Raises:
        UnusableTokensError: Tokens were given, or what is kept beside them, and can't be used as
            they came.
        PlatformError: None were given.
    """
    form = {
        "grant_type": "authorization_code",
        "code": require_vschar(code, platform=platform.slug),
        "redirect_uri": redirect_uri,
    }
    if code_verifier is not None:
        form["code_verifier"] = code_verifier
    try:
        return _with_extras(platform, _post(platform, registration, form=form, within=within))
    except PlatformError as error:
        failure = with_kept_fields(error, platform.kept_token_fields)
    raise failure


@calling("refresh")
def refresh(
    platform: Platform,
    registration: ClientRegistration,
    *,
    refresh_token: str,
    within: float = 10.0,
) -> TokenSet:
    """Get fresh tokens (RFC 6749, section 6).

    Args:
        within: Seconds for the whole call.

    Returns:
        The tokens; `refresh_token` is None if none came, and then the old one stays good.

    Raises:
        DeadGrant: The platform says, in its own way, that the grant is over.
        UnusableTokensError: Tokens were given, and can't be used as they came.
        PlatformError: Any other failure, which says nothing about the grant.
    """
    token = require_vschar(refresh_token, platform=platform.slug)
    form = {"grant_type": "refresh_token", "refresh_token": token}
    answer = _post(platform, registration, form=form, within=within)
    require_living_grant(answer, platform, at="token")
    return _with_extras(platform, answer)


def _with_extras(platform: Platform, answer: Answer) -> TokenSet:
    """Read tokens, and what the catalogue wants kept beside them."""
    tokens = read_tokens(answer)
    return replace(tokens, extras=kept_in(tokens.response, platform.kept_token_fields))


def _post(
    platform: Platform, registration: ClientRegistration, *, form: dict[str, str], within: float
) -> Answer:
    request = authenticated_form(platform, registration, url=platform.token_endpoint, form=form)
    return ask_for_tokens(request, platform=platform, within=within)


def _with_query(endpoint: str, parameters: dict[str, str]) -> str:
    # The endpoint's own query has to be retained (RFC 6749, section 3.1).
    parts = urlsplit(endpoint)
    query = urlencode(parameters, quote_via=quote)
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, query]))))
