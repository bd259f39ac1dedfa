"""Adapters: modules that do what a catalogue entry can't say."""

import importlib
from typing import Any

from connections_project.oauth.catalog import Platform


def adapter_function(platform: Platform, name: str) -> Any:
    """Return a function of the platform's adapter, None if it has no adapter or no such function.

    Args:
        platform: Its `adapter` is a dotted path that the catalogue has checked.
        name: `refresh`, `revoke` or `identify`; each takes what the client's own `revoke` does.
    """
    if not platform.adapter:
        return None
    return getattr(importlib.import_module(platform.adapter), name, None)
