"""Where SCIM's routes hang: they are imported by whoever calls them, or at a web process's start.

The schemas behind them take a second. Django's `reverse()` asks every route for its name, and so
the first page of a process, and a command that writes an address, would import them.
"""

from importlib import import_module
from typing import Any

from django.urls import URLResolver
from django.urls.resolvers import RoutePattern
from django.utils.datastructures import MultiValueDict
from django.utils.translation import get_language

URLS = "connections_project.scim.urls"


class UnnamedRoutes(URLResolver):
    """Routes without names, to which nothing is reversed."""

    _namespace_dict: dict[str | None, Any]
    _app_dict: dict[str | None, Any]

    def _populate(self) -> None:
        language = get_language()
        self._reverse_dict[language] = MultiValueDict()
        self._namespace_dict[language] = self._app_dict[language] = {}
        self._populated = True


def scim_routes(prefix: str) -> URLResolver:
    """Return the routes of SCIM below a path."""
    return UnnamedRoutes(RoutePattern(prefix, is_endpoint=False), URLS)


def import_routes(**_: Any) -> None:
    """Import what is behind the routes; concurrent first requests would wait for one another."""
    import_module(URLS)
