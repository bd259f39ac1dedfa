"""The same verbs in the words of each app, so that one suite goes over the platforms of both."""

from typing import Any

from rest_framework.test import APIClient

from channels.models import ChannelConnection
from channels.models import Status as ChannelStatus
from connections_project.connections.models import OAuthConnection
from providers.models import Connection
from providers.models import Status as ProviderStatus
from tests.support import bank, chirp


class Providers:
    """`/providers…`, where a repeated connection is answered with the row that there is."""

    live, over = ProviderStatus.ACTIVE, ProviderStatus.DISCONNECTED
    becomes = {"expired": ProviderStatus.EXPIRED, "revoked": ProviderStatus.REVOKED}
    refreshed = 201
    model: type[Connection] = Connection

    def begin(self, api: APIClient, slug: str) -> dict[str, Any]:
        answer = api.post("/api/v1/providers", {"provider_slug": slug}, format="json")
        assert answer.status_code == 201, answer.content
        begun: dict[str, Any] = answer.json()
        return begun

    def call_back(self, api: APIClient, state: str) -> Any:
        return bank.call_back(api, state)

    def id_of_repeated(self, answer: Any) -> str:
        assert answer.status_code == 201
        return str(answer.json()["id"])

    def refresh(self, api: APIClient, row: OAuthConnection, *, force: bool) -> Any:
        path = f"/api/v1/providers/{row.pk}/token-refreshes"
        return api.post(path, {"force": force}, format="json")

    def disconnect(self, api: APIClient, row: OAuthConnection) -> Any:
        return api.delete(f"/api/v1/auth/{row.pk}/disconnect")


class Channels:
    """`/channels…`, where a repeated connection is a conflict that names the row."""

    live, over = ChannelStatus.CONNECTED, ChannelStatus.DISCONNECTED
    becomes = {"expired": ChannelStatus.EXPIRED, "revoked": ChannelStatus.ERROR}
    refreshed = 200
    model: type[ChannelConnection] = ChannelConnection

    def begin(self, api: APIClient, slug: str) -> dict[str, Any]:
        answer = api.post("/api/v1/channels/connect", {"channel": slug}, format="json")
        assert answer.status_code == 200, answer.content
        begun: dict[str, Any] = answer.json()
        return begun

    def call_back(self, api: APIClient, state: str) -> Any:
        return chirp.call_back(api, state)

    def id_of_repeated(self, answer: Any) -> str:
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["error_code"]) == (409, "ALREADY_CONNECTED")
        return str(error["meta"]["id"])

    def refresh(self, api: APIClient, row: OAuthConnection, *, force: bool) -> Any:
        path = f"/api/v1/channels/connections/{row.pk}/refresh"
        return api.post(path, {"force": force}, format="json")

    def disconnect(self, api: APIClient, row: OAuthConnection) -> Any:
        return api.delete(f"/api/v1/channels/connections/{row.pk}")


AppClient = Providers | Channels
APP_CLIENTS: dict[str, AppClient] = {"providers": Providers(), "channels": Channels()}


def connect(api: APIClient, app_client: AppClient, slug: str) -> Any:
    """Connect from start to end, and give the row."""
    answer = app_client.call_back(api, app_client.begin(api, slug)["state"])
    assert answer.status_code == 201, answer.content
    return app_client.model.objects.get(pk=answer.json()["id"])
