"""Publishing over the Graph API: containers that are made, waited for, and published."""

import re
from collections.abc import Mapping
from typing import Any

from connections_project.connections.errors import NotActiveError
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.paths import dig_text
from connections_project.oauth.transport import Answer, Request
from connections_project.platforms.publishing import Published, PublishSession
from social.adapters.meta.graph import node_url, proof, with_query

# How often a container is looked at.
POLL_SECONDS = 1.0


def post(
    session: PublishSession, path: str, form: Mapping[str, str], *, publishes: bool = False
) -> dict[str, Any]:
    """Post to a node in an account's session, and give what it answers.

    Raises:
        DeadGrant, PlatformError, NotActiveError: See `PublishSession.call`.
    """
    token = session.tokens.access_token
    body = {**form, **proof(session.upstream.registration, token)}
    url = node_url(session.upstream.platform, path)
    request = Request("POST", url, headers=session.authorization, form=body)
    return _document(session, session.call(request, publishes=publishes))


def fetch_fields(session: PublishSession, path: str, fields: str) -> dict[str, Any]:
    """Read fields of a node in an account's session.

    Raises:
        DeadGrant, PlatformError, NotActiveError: See `PublishSession.call`.
    """
    token = session.tokens.access_token
    parameters = {"fields": fields, **proof(session.upstream.registration, token)}
    url = with_query(node_url(session.upstream.platform, path), parameters)
    return _document(session, session.call(Request("GET", url, headers=session.authorization)))


def node_id(session: PublishSession, document: Mapping[str, Any]) -> str:
    """Read the id of what was made; a Page's posts are called PAGE_POST.

    Raises:
        PlatformError: `malformed`: there is none.
    """
    found = dig_text(document, "id")
    if not re.fullmatch(r"[A-Za-z0-9_]{1,255}", found):
        raise session.error("malformed")
    return found


def publish_container(
    session: PublishSession, form: Mapping[str, str], *, make: str, status: str, publish: str
) -> str:
    """Create a container, wait until the platform has fetched its media, and publish it.

    Args:
        session: The account's, whose time bounds the wait.
        form: What the container is made of.
        make: The path at which it is made.
        status: The field that says how far it is.
        publish: The path at which it is published.

    Returns:
        The post's id.

    Raises:
        DeadGrant, NotActiveError: See `PublishSession.call`.
        PlatformError: Also `refused`: the platform could not fetch the image.
    """
    container = node_id(session, post(session, make, form))
    while not _is_ready(session, fetch_fields(session, container, status).get(status)):
        session.wait(POLL_SECONDS)
    answer = post(session, publish, {"creation_id": container}, publishes=True)
    return node_id(session, answer)


def _is_ready(session: PublishSession, status: object) -> bool:
    # No sets: what came may be anything, also what no set can look for.
    if status not in ("FINISHED", "IN_PROGRESS"):
        raise session.error("refused")
    return status == "FINISHED"


def published(session: PublishSession, post_id: str, field: str) -> Published:
    """Return a post with the address at which it can be seen; without, where that can't be had, or
    the account was disconnected since: it is published all the same."""
    try:
        return session.published(post_id, fetch_fields(session, post_id, field).get(field))
    except (PlatformError, NotActiveError):
        return Published(post_id)


def _document(session: PublishSession, answer: Answer) -> dict[str, Any]:
    document = answer.json()
    if not isinstance(document, dict):
        raise session.error("malformed")
    return document
