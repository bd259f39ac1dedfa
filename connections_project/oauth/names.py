"""Names of people and accounts, as platforms give them."""

import re

# Controls, and halves of surrogate pairs, which no database takes. All else stays, whether or not
# this interpreter's tables know it yet: joiners and tags are parts of names and of emoji.
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def without_controls(name: str) -> str:
    """Return a name with a space for each control character, and none around it."""
    return _UNWRITABLE.sub(" ", name).strip()
