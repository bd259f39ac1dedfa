"""Reddit: text posts to a subreddit or the own profile (reddit.com/dev/api, POST /api/submit)."""

import math
from typing import Any

from connections_project.oauth.calls import api_url
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.messages import Request
from connections_project.oauth.paths import dig
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import Option, Publishing
from connections_project.platforms.publishing import Post, Published, PublishSession

OPTIONS = {
    "title": Option(required=True, longest=300, hint="Reddit has no posts without a title."),
    "subreddit": Option(
        longest=32, pattern=r"[A-Za-z0-9_-]{2,32}", hint="Give its name alone, without r/."
    ),
}


def publish(session: PublishSession, post: Post) -> Published:
    url = api_url(session.upstream.platform, "/api/submit")
    request = Request("POST", url, headers=session.authorization, form=_form(post))
    document = session.call(request, publishes=True).json()
    _require_taken(session, document)
    return session.published(dig(document, "json.data.name"), dig(document, "json.data.url"))


def _form(post: Post) -> dict[str, str]:
    return {
        # Without it the answer is made for Reddit's own pages.
        "api_type": "json",
        "kind": "self",
        # Everybody's profile is a subreddit, too.
        "sr": post.options.get("subreddit") or f"u_{post.account_name}",
        "title": post.options.get("title", ""),
        "text": post.text,
    }


def _require_taken(session: PublishSession, document: Any) -> None:
    """Raise what a 200 says in `errors`: code, text and field of each."""
    errors = dig(document, "json.errors")
    codes = [dig(one, "0") for one in errors] if isinstance(errors, list) else []
    if "RATELIMIT" in codes:
        raise PlatformError(
            "rate_limited",
            platform=session.slug,
            status=429,
            retry_after=_seconds(dig(document, "json.ratelimit")),
        )
    if codes:
        raise session.error("refused")


def _seconds(value: Any) -> int | None:
    try:
        return max(0, min(math.ceil(float(value)), 24 * 3600))
    except (TypeError, ValueError, OverflowError):
        return None


# Pictures need an upload of their own, and no key identifies a repeated post. The platform takes
# more text than the API does.
adapter = Adapter(publishing=Publishing(publish=publish, options=OPTIONS))
