"""How long a text is where a platform doesn't count its characters.

X: docs.x.com/fundamentals/counting-characters (twitter-text, configuration v3). Mastodon: a link
counts 23, a mention without its host (docs.joinmastodon.org/user/posting).
"""

import re
import unicodedata

LINK = re.compile(r"https?://[^\s]+", re.IGNORECASE)
LINK_LENGTH = 23
# X ends a link where East Asian signs follow it without a space, and before punctuation after it;
# what is within brackets belongs to it (twitter-text, "valid_url_path").
TWEETED_LINK = re.compile(
    r"(?i:https?)://[^\s/?#()]+(?:[/?#](?:\([^\s()\u1100-\U0010ffff]*\)|[^\s()\u1100-\U0010ffff])*)?"
    r"(?<![.,:;!?'\"])"
)
MENTION = re.compile(r"(?<![\w/])(@\w+)@[\w.-]+\w")
_PICTURE = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff]"
)
_CHANGES = "[\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
# Flags, keycaps, and pictures with what is joined to them: one sign each to whoever reads it.
EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}|[0-9#*]\ufe0f?\u20e3"
    f"|{_PICTURE}{_CHANGES}(?:\u200d{_PICTURE}{_CHANGES})*"
)
# Code points that count one; all others count two.
NARROW = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))


def tweet_length(text: str) -> int:
    """Return a text's length as X counts."""
    rest, links = TWEETED_LINK.subn("", unicodedata.normalize("NFC", text))
    rest, emoji = EMOJI.subn("", rest)
    return links * LINK_LENGTH + emoji * 2 + sum(map(_weight, rest))


def toot_length(text: str) -> int:
    """Return a text's length as Mastodon counts: by what readers take for one sign."""
    rest, links = LINK.subn("", text)
    rest, emoji = EMOJI.subn("", MENTION.sub(r"\1", rest))
    signs = sum(1 for char in rest if unicodedata.category(char)[0] != "M")
    return links * LINK_LENGTH + emoji + signs


def utf16_length(text: str) -> int:
    """Return a text's length in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _weight(char: str) -> int:
    return 1 if any(first <= ord(char) <= last for first, last in NARROW) else 2
