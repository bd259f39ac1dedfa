"""Requests that browsers make ahead of anybody's click."""

from django.http import HttpRequest


def is_prefetch(request: HttpRequest) -> bool:
    """Whether nobody looks at the page yet (Fetch Standard, `Sec-Purpose`; older: `Purpose`)."""
    purposes = (request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose"))
    return any("prefetch" in purpose.lower() for purpose in purposes)
