"""The plugin of platforms that need none: the catalogue says it all, but how to publish."""

from connections_project.oauth import client
from connections_project.oauth.client import GrantedAccount, TokenSet
from connections_project.oauth.errors import PlatformError
from connections_project.platforms.registry import Upstream
from social.line import Line
from social.types import Crop, Harvest, Post, Published, PublishingUnsupportedError


def harvest(upstream: Upstream, tokens: TokenSet) -> Harvest:
    platform, registration = upstream.platform, upstream.registration
    identity = client.identify(platform, registration, tokens=tokens)
    found = client.granted_accounts(platform, registration, tokens=tokens, identity=identity)
    if any(account.identity.account_id is None for account in found):
        # Without an id nobody would know the account again.
        raise PlatformError("malformed", platform=platform.slug)
    crops = tuple(_crop(account, tokens) for account in found)
    return Harvest(tokens, identity.grantor_id, crops)


def _crop(account: GrantedAccount, tokens: TokenSet) -> Crop:
    if account.access_token is None:
        return Crop(account.identity, tokens, shares_tokens=True)
    return Crop(account.identity, TokenSet(account.access_token))


def publish(post: Post, line: Line) -> Published:  # noqa: ARG001 (the Protocol's signature)
    raise PublishingUnsupportedError
