"""A recorded platform on loopback, and what a connection to it goes through in its app."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rest_framework.test import APIClient

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.connections.errors import RefreshFailedError
from connections_project.connections.refresh import refreshed_for_use
from connections_project.oauth.catalog import Platform
from connections_project.revocation.models import Circuit, RevocationJob
from connections_project.revocation.worker import run_worker
from tests.platforms.recorded.overlays import SHIPPED
from tests.platforms.recorded.recording import RecordedAnswer, Recording
from tests.support import app_clients, gallery
from tests.support.disconnects import disconnect_one
from tests.support.platform_server import Answer, PlatformServer, Request

WORKER = Origin(ActorType.SYSTEM, None, Interface.WORKER)
SOCIAL = {"active": "active", "over": "disconnected", "expired": "expired", "revoked": "revoked"}


@dataclass
class RecordedPlatform:
    """A recorded platform, to which the service may connect."""

    recording: Recording
    server: PlatformServer
    issued: int = 0

    @property
    def platform(self) -> Platform:
        return SHIPPED[self.recording.slug]

    @property
    def token_path(self) -> str:
        return urlsplit(self.platform.token_endpoint).path

    @property
    def refreshes_at(self) -> tuple[str, str]:
        return self.recording.refreshes_at or ("POST", self.token_path)

    @property
    def revokes_at(self) -> tuple[str, str]:
        if self.recording.revokes_at or self.platform.revocation is None:
            return self.recording.revokes_at or ("", "")
        return "POST", urlsplit(self.platform.revocation.endpoint).path

    @property
    def api_requests(self) -> list[Request]:
        return [one for one in self.server.requests if one.method == "GET"]

    @property
    def refreshes(self) -> list[Request]:
        method, path = self.refreshes_at
        return [one for one in self.server.requests_to(path) if one.method == method]

    @property
    def revocations(self) -> list[Request]:
        method, path = self.revokes_at
        return [one for one in self.server.requests_to(path) if one.method == method]

    def open(self) -> None:
        self.server.on("POST", self.token_path, self.tokens)
        if self.recording.lasting:
            self.server.on(*self.refreshes_at, Answer(json=dict(self.recording.lasting)))
        for (method, path), answer in self.recording.routes.items():
            self.server.on(method, path, self.while_alive(answer) if method == "GET" else answer)
        self.server.on(*self.revokes_at, self.recording.revoked)
        self.server.on("POST", self.introspection_path, self.introspected)

    def tokens(self, _: Request) -> Answer:
        self.issued += 1
        tokens = json.dumps(dict(self.recording.tokens)).replace("-N", f"-{self.issued}")
        return Answer(json=json.loads(tokens))

    def while_alive(self, recorded: RecordedAnswer) -> Callable[[Request], Answer]:
        """Answer so until a token is revoked, and then as the platform answers a dead one."""

        def answer(request: Request) -> Answer:
            if self.revocations:
                return self.recording.dead_token[0][0]
            return recorded(request) if callable(recorded) else recorded

        return answer

    @property
    def introspection_path(self) -> str:
        return urlsplit(self.platform.introspects_at).path

    def introspected(self, _: Request) -> Answer:
        dead = self.recording.introspected_dead
        return dead if dead and self.revocations else Answer(json={"active": True})

    def outlive_revocations(self) -> None:
        """Have the tokens be good for ever, whatever is answered to a revocation."""
        for (method, path), answer in self.recording.routes.items():
            self.server.on(method, path, answer)
        self.server.on("POST", self.introspection_path, Answer(json={"active": True}))

    def refuse_reads(self, answer: Answer) -> None:
        for method, path in self.recording.routes:
            if method == "GET":
                self.server.on(method, path, answer)

    # In the app's own way.

    def connect(self, api: APIClient) -> Any:
        if self.platform.app == "social":
            (row,) = gallery.connect(api, self.platform.slug)
            return row
        return app_clients.connect(api, self._client, self.platform.slug)

    def fails_to_connect(self, api: APIClient) -> bool:
        slug = self.platform.slug
        if self.platform.app == "social":
            answer = gallery.call_back(api, gallery.start(api, slug))
        else:
            answer = self._client.call_back(api, self._client.begin(api, slug)["state"])
        return bool(answer.status_code == 502)

    def refresh(self, api: APIClient, row: Any) -> bool:
        """Refresh by force, and return whether that went well; else it is the platform's fault."""
        if self.platform.app == "social":
            try:
                refreshed_for_use(row, origin=WORKER, force=True)
            except RefreshFailedError:
                return False
            return True
        status = self._client.refresh(api, row, force=True).status_code
        assert status in {self._client.refreshed, 502}
        return bool(status == self._client.refreshed)

    def end(self, api: APIClient, row: Any) -> RevocationJob | None:
        """Disconnect, and have the platform told; return what has come of that."""
        if self.platform.app == "social":
            disconnect_one(row, erase_tokens=True)
        else:
            assert self._client.disconnect(api, row).status_code == 200
        return RevocationJob.objects.first()

    def revive(self, row: Any) -> None:
        """Have a connection be as good as if its grant had never died."""
        columns = {"is_active": True} if self.platform.app == "social" else {}
        rows = type(row)._default_manager.filter(pk=row.pk)
        rows.update(status=self.means("active"), **columns)
        row.refresh_from_db()

    def means(self, meaning: str) -> str:
        """Return the status by which the app means it: "active", "over", "expired", "revoked"."""
        if self.platform.app == "social":
            return SOCIAL[meaning]
        named = {"active": self._client.live, "over": self._client.over, **self._client.becomes}
        return str(named[meaning].value)

    @property
    def _client(self) -> app_clients.AppClient:
        return app_clients.APP_CLIENTS[self.platform.app]


def tried_again() -> list[str]:
    """Have the pending revocations tried once more, as if their time had come."""
    RevocationJob.objects.update(due_at="2026-11-01T00:00:00Z")
    Circuit.objects.all().delete()
    return list(run_worker(interface=Interface.COMMAND, heed_circuits=False))


def authenticates(request: Request, platform: Platform) -> bool:
    """Whether a request bears our client's credentials in the platform's way."""
    form = request.form
    if platform.token_endpoint_auth_method == "client_secret_basic":
        return request.headers["Authorization"].startswith("Basic ")
    given = (form[platform.client_id_parameter], form["client_secret"])
    return given == ("our client", "s3cret/+&=%")


def revoked_token(request: Request) -> str:
    """Return the token that a revocation names."""
    bearer: str = request.headers.get("Authorization", "")
    if bearer.startswith("Bearer "):
        return bearer.removeprefix("Bearer ")
    return request.form["token"]
