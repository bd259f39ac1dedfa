"""What is recorded of publishing at a channel."""

import email
import email.policy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.platform_server import Answer, Request

Script = Answer | Callable[[Request], Answer]
PICTURE_URL = "https://pictures.example.com/cat.png"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
# How a picture comes in a form.
PICTURE_PART = ("picture.png", "image/png", PICTURE)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A post, and what becomes of it.

    Args:
        wanted: Of the body of `POST /schedules`.
        routes: What the platform answers, by method and path, one after the other; see `takes`.
        post_id: What the post is called there.
        post_url: Where people see it.
        public: Paths that need no Bearer.
    """

    wanted: Mapping[str, Any]
    routes: Mapping[tuple[str, str], tuple[Script, ...]]
    post_id: str
    post_url: str | None
    public: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Posting:
    """A channel.

    Args:
        slug: The channel's, in the catalogue.
        identity: What its identity endpoint answers.
        tokens: What its token endpoint answers to a code, beside the usual.
        text: A post without a picture; None where there are none.
        picture: A post with one; None where there are none.
        refused: What it answers to a post that it doesn't take, by method and path.
    """

    slug: str
    identity: Mapping[str, Any]
    tokens: Mapping[str, Any] = field(default_factory=dict)
    text: Case | None = None
    picture: Case | None = None
    refused: tuple[tuple[str, str], Answer]


def takes(
    answer: Answer,
    *,
    json: Any = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    body: bytes | None = None,
    parts: Mapping[str, Any] | None = None,
) -> Callable[[Request], Answer]:
    """Answer a request that is just as the platform documents it, and refuse any other."""

    def script(request: Request) -> Answer:
        is_right = (
            (json is None or request.json == json)
            and (form is None or request.form == dict(form))
            and (body is None or request.body == body)
            and (parts is None or parts_of(request) == dict(parts))
            and request.query == dict(query or {})
            and all(request.headers[name] == value for name, value in (headers or {}).items())
        )
        return answer if is_right else Answer(400, json={"error": "this is not documented"})

    return script


def parts_of(request: Request) -> dict[str, Any]:
    """Read a form with files (RFC 7578): texts, and files as name, media type and content."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    found: dict[str, Any] = {}
    for part in email.message_from_bytes(head + request.body, policy=email.policy.HTTP).walk():
        name = part.get_param("name", header="content-disposition")
        if name and (filename := part.get_filename()):
            found[str(name)] = (filename, part.get_content_type(), part.get_payload(decode=True))
        elif name:
            found[str(name)] = part.get_content()
    return found
