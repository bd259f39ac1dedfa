"""What nobody has foreseen of an answer is a failed call, and no fault of ours."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from connections_project.oauth.errors import PlatformError

logger = logging.getLogger(__name__)

ODDITIES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


@contextmanager
def forgiving(platform: str) -> Iterator[None]:
    """Let no oddity of an answer that its reader did not foresee be more than a failed call.

    Args:
        platform: Whose answer it is.
    """
    try:
        yield
    except ODDITIES as error:
        # What it was and where, but not its text, which may hold a token.
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = (type(error).__name__, where.filename, where.lineno)
        logger.error("Unforeseen at %s: %s in %s, line %s", platform, *place)  # noqa: TRY400
        failure = PlatformError("malformed", platform=platform)
    else:
        return
    raise failure
