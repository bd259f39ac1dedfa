"""An adapter with a bug, whose exception's text holds what it was given."""

from connections_project.oauth.client import TokenSet
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.registry import Upstream


def revoke(_upstream: Upstream, tokens: TokenSet, _within: float) -> None:
    raise KeyError(tokens.refresh_token)


adapter = Adapter(revoke=revoke)
