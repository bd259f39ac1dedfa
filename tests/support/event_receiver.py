"""A host application that is told of events: it verifies each, and can be told to fail."""

import json
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

from connections_project.events.endpoints import create
from connections_project.events.models import Endpoint
from connections_project.identity.origins import command_origin
from tests.support.platform_server import Answer, PlatformServer, Request

PATH = "/events"
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass
class Receiver:
    """What has come, as somebody else's implementation of the signatures takes it."""

    server: PlatformServer
    endpoint: Endpoint
    secret: str
    path: str = PATH
    verified: list[dict[str, Any]] = field(default_factory=list)

    @property
    def requests(self) -> list[Request]:
        return [one for one in self.server.requests if one.path == self.path]

    @property
    def events(self) -> list[dict[str, Any]]:
        """Verify and return all that came, with its id."""
        return [self.verify(request) for request in self.requests]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def verify(self, request: Request, secret: str = "") -> dict[str, Any]:
        headers = {name: request.headers[name] for name in HEADERS}
        Webhook(secret or self.secret).verify(request.body.decode(), headers)
        return {"id": headers["webhook-id"], **json.loads(request.body)}


def receiver_at(server: PlatformServer, *, path: str = PATH, types: str = "") -> Receiver:
    """Make an endpoint of a server's path, where everything is taken until it is told otherwise."""
    server.on("POST", path, lambda _: Answer(204))
    url = f"{server.url}{path}"
    endpoint, secret = create(url=url, types=types, origin=command_origin(None))
    return Receiver(server, endpoint, secret, path)
