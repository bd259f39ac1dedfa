"""An adapter with a bug, whose exception's text holds what it was given."""

from typing import Any


def revoke(*_: Any, tokens: Any, **__: Any) -> None:
    raise KeyError(tokens.refresh_token)
