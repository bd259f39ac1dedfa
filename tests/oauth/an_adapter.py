"""An adapter, as a platform would have one for what its table can't say."""

from connections_project.oauth.catalog import Platform
from connections_project.oauth.client import ClientRegistration, Identity, TokenSet

REVOKED: list[str] = []


def refresh(
    platform: Platform, registration: ClientRegistration, *, tokens: TokenSet, within: float
) -> TokenSet:
    return TokenSet(f"exchanged {tokens.refresh_token}")


def revoke(
    platform: Platform, registration: ClientRegistration, *, tokens: TokenSet, within: float
) -> None:
    REVOKED.append(tokens.access_token)


def identify(
    platform: Platform, registration: ClientRegistration, *, tokens: TokenSet, within: float
) -> Identity:
    return Identity("adapted", tokens.access_token)
