"""Plugins: what a catalogue entry can't say about a platform.

A platform's plugin is the module that its catalogue entry names as `adapter`, else the one in
`social/plugins/` that is called like its slug, else `standard_plugin`. There is no list to add one
to, and nothing but plugins is in that folder, since any name may be some platform's slug.
"""

import importlib
import importlib.util
from typing import Protocol, cast

from connections_project.oauth.catalog import Platform
from connections_project.oauth.client import TokenSet
from connections_project.platforms.registry import Upstream
from social import standard_plugin
from social.line import Line
from social.types import Harvest, Post, Published


class Plugin(Protocol):
    """What each of these modules can do.

    One may also have `refresh` and `revoke`, which the OAuth client asks for where the catalogue
    says `refresh = "self_exchange"` or `kind = "adapter"` (see `oauth/adapters.py`).
    """

    def harvest(self, upstream: Upstream, tokens: TokenSet) -> Harvest:
        """Make of the tokens that have just come what is kept: for which accounts, by whom.

        Raises:
            PlatformError: The platform refused, or could not be reached, or answered nonsense.
        """

    def publish(self, post: Post, line: Line) -> Published:
        """Publish a post.

        Raises:
            InvalidPostError: The platform has no such posts.
            NotActiveError: The account was disconnected meanwhile; nothing more was sent.
            PlatformError: It was not published, or nobody knows whether it was.
        """


def plugin_of(platform: Platform) -> Plugin:
    """Find a platform's plugin."""
    own = platform.adapter or f"social.plugins.{platform.slug}"
    if importlib.util.find_spec(own) is None:
        return standard_plugin
    return cast("Plugin", importlib.import_module(own))
