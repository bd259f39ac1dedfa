"""Publishing over the Graph API: containers that are made, waited for, and published."""

import re
from collections.abc import Mapping
from typing import Any

from connections_project.connections.errors import NotActiveError
from connections_project.oauth.answers import require_living_grant, require_success
from connections_project.oauth.client_authentication import bearer
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.transport import Answer, Request
from social.line import Line
from social.meta import graph, proof, with_query

# How often a container is looked at.
POLL_SECONDS = 1.0
LONGEST_URL = 2048


def post(
    line: Line, path: str, form: Mapping[str, str], *, publishes: bool = False
) -> dict[str, Any]:
    """Post to a node on an account's line, and give what it answers.

    Raises:
        DeadGrant, PlatformError, NotActiveError: See `Line.call`.
    """
    token = line.tokens.access_token
    body = {**form, **proof(line.upstream.registration, token)}
    url = graph(line.upstream.platform, path)
    request = Request("POST", url, headers=bearer(token), form=body)
    return _document(line, line.call(request, publishes=publishes))


def look(line: Line, path: str, fields: str) -> dict[str, Any]:
    """Read fields of a node on an account's line.

    Raises:
        DeadGrant, PlatformError, NotActiveError: See `Line.call`.
    """
    token = line.tokens.access_token
    parameters = {"fields": fields, **proof(line.upstream.registration, token)}
    url = with_query(graph(line.upstream.platform, path), parameters)
    return _document(line, line.call(Request("GET", url, headers=bearer(token))))


def node_id(line: Line, document: Mapping[str, Any]) -> str:
    """Read the id of what was made; a Page's posts are called PAGE_POST.

    Raises:
        PlatformError: `malformed`: there is none.
    """
    found = document.get("id")
    if not isinstance(found, str) or not re.fullmatch(r"[A-Za-z0-9_]{1,255}", found):
        raise PlatformError("malformed", platform=line.slug)
    return found


def publish_container(
    line: Line, form: Mapping[str, str], *, make: str, status: str, publish: str
) -> str:
    """Make a container, wait until the platform has all that belongs into it, and publish it.

    Args:
        line: The account's, whose time bounds the wait.
        form: What the container is made of.
        make: The path at which it is made.
        status: The field that says how far it is.
        publish: The path at which it is published.

    Returns:
        The post's id.

    Raises:
        DeadGrant, PlatformError, NotActiveError: See `Line.call`; `refused` also where the platform
            could not fetch the image.
    """
    container = node_id(line, post(line, make, form))
    while not _is_ready(line, look(line, container, status).get(status)):
        line.wait(POLL_SECONDS)
    answer = post(line, publish, {"creation_id": container}, publishes=True)
    return node_id(line, answer)


def _is_ready(line: Line, status: object) -> bool:
    if status not in {"FINISHED", "IN_PROGRESS"}:
        raise PlatformError("refused", platform=line.slug)
    return status == "FINISHED"


def permalink(line: Line, post_id: str, field: str) -> str | None:
    """Ask where a post can be seen; None where that fails, or the account was disconnected since:
    it is published all the same."""
    try:
        url = look(line, post_id, field).get(field)
    except (PlatformError, NotActiveError):
        return None
    is_address = isinstance(url, str) and url.startswith("https://") and len(url) <= LONGEST_URL
    return str(url) if is_address else None


def _document(line: Line, answer: Answer) -> dict[str, Any]:
    require_living_grant(answer, line.upstream.platform)
    document = require_success(answer).json()
    if not isinstance(document, dict):
        raise PlatformError("malformed", platform=line.slug)
    return document
