"""The small site that fails in every way, which the tests of the API have too."""

from tests.api.conftest import formats, site

__all__ = ["formats", "site"]
