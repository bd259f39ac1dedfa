"""All recordings, one file a platform: they are found, not listed."""

import importlib
import pkgutil

from tests.platforms.recorded.overlays import SHIPPED
from tests.platforms.recorded.recording import Recording

PACKAGE = "tests.platforms.recorded"


def _recordings() -> dict[str, Recording]:
    package = importlib.import_module(PACKAGE)
    names = [one.name for one in pkgutil.iter_modules(package.__path__) if one.name in SHIPPED]
    found = [importlib.import_module(f"{PACKAGE}.{name}").RECORDING for name in names]
    return {one.slug: one for one in found}


RECORDINGS = _recordings()
READ = {slug: one for slug, one in RECORDINGS.items() if SHIPPED[slug].app == "providers"}
REFRESHED = {slug: one for slug, one in RECORDINGS.items() if SHIPPED[slug].refresh != "none"}


def is_sent(slug: str) -> bool:
    """Whether a disconnect has the platform revoke anything."""
    revocation = SHIPPED[slug].revocation
    return revocation is not None and revocation.blast_radius != "client"


REVOKED = {slug: one for slug, one in RECORDINGS.items() if is_sent(slug)}
