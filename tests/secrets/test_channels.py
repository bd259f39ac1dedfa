"""A channel from start to end, also where it fails, and nowhere is a secret said."""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from channels.models import ChannelConnection
from connections_project.oauth.client import ClientRegistration
from connections_project.revocation.models import RevocationJob
from tests.conftest import UseCatalogue
from tests.secrets.conftest import CLIENT_SECRET
from tests.support.bank import REDIRECT_URI
from tests.support.chirp import Chirp, call_back, start
from tests.support.echo_bank import EchoBank
from tests.support.platform_server import Answer, PlatformServer
from tests.support.token_probe import ProbedClient, TokenProbe

Leaks = Callable[[], list[str]]
CONNECTIONS = "/api/v1/channels/connections"
NAMES = 'token_identifier_algs = ["prefix", "hash_base64_sha512_sha512"]'


@dataclass
class EchoChirp(EchoBank, Chirp):
    """A channel that repeats to everybody what it received, and hands out tokens long enough to
    be named by a part of them."""

    def tokens(self, **differing: Any) -> Answer:
        long_one = secrets.token_urlsafe(48)
        self.probe.add_secret("the channel's token", long_one)
        return super().tokens(**{"refresh_token": long_one, **differing})


@pytest.fixture
def chirp(
    server: PlatformServer,
    use_catalogue: UseCatalogue,
    settings: LazySettings,
    probe: TokenProbe,
    monkeypatch: pytest.MonkeyPatch,
) -> EchoChirp:
    made = EchoChirp(server, probe=probe)
    use_catalogue(made.catalogue(more=NAMES), "chirp")
    settings.OAUTH_CLIENTS["chirp"] = asdict(
        ClientRegistration("ours", CLIENT_SECRET, (REDIRECT_URI,))
    )
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)
    made.open()
    return made


def code(probe: TokenProbe) -> str:
    made = f"code-{secrets.token_urlsafe(24)}"
    probe.add_secret("code", made)
    return made


def connect(api: ProbedClient) -> ChannelConnection:
    answer = call_back(api, start(api), code=code(api.probe))
    assert answer.status_code == 201
    return ChannelConnection.objects.get(pk=answer.json()["id"])


def schedule(api: ProbedClient, row: ChannelConnection) -> None:
    run_at = timezone.now() + timedelta(days=1)
    body = {"channel_connection_id": row.pk, "content": "Hello", "run_at": run_at}
    assert api.post("/api/v1/schedules", body).status_code == 201


def test_a_channels_life_leaves_no_secret_behind(
    api: ProbedClient, chirp: EchoChirp, probe: TokenProbe, leaks: Leaks
) -> None:
    row = connect(api)
    assert call_back(api, start(api), code=code(probe)).status_code == 409
    assert api.post(f"{CONNECTIONS}/{row.pk}/refresh", {"force": True}).status_code == 200
    schedule(api, row)
    for url in (CONNECTIONS, f"{CONNECTIONS}/{row.pk}", "/api/v1/schedules"):
        assert api.get(url).status_code == 200
    assert api.delete(f"{CONNECTIONS}/{row.pk}").status_code == 400
    row.refresh_from_db()
    assert row.refresh_token_prefix is not None
    probe.read_database_file()
    assert leaks() == []
    assert row.auth_state is not None
    probe.add_secret("ciphertext", row.auth_state.ciphertext)
    probe.add_secret("prefix of a token", row.refresh_token_prefix)
    answer = api.delete(f"{CONNECTIONS}/{row.pk}?cancel_schedules=true&soft_delete=true")
    assert answer.status_code == 200
    assert not RevocationJob.objects.filter(sealed_tokens__isnull=False).exists()
    # The SQL that was logged bears what is stored; what counts is what stands there now.
    probe.texts.clear()
    assert leaks() == []


@pytest.mark.parametrize("status", [400, 401, 503])
def test_failing_calls_repeat_no_echoed_secret(
    api: ProbedClient,
    client: ProbedClient,
    chirp: EchoChirp,
    probe: TokenProbe,
    leaks: Leaks,
    status: int,
) -> None:
    row = connect(api)
    chirp.fails("POST", "/token", status)
    assert api.post(f"{CONNECTIONS}/{row.pk}/refresh", {"force": True}).status_code == 502
    assert call_back(api, start(api), code=code(probe)).status_code == 502
    chirp.open()
    chirp.fails("GET", "/me", status)
    assert call_back(api, start(api), code=code(probe)).status_code == 502
    chirp.fails("POST", "/revoke", status)
    mine, state = code(probe), start(api)
    call_back(api, start(api), code=mine, error=mine, error_description=mine)
    call_back(client, state, code=mine)
    call_back(client, state, code=mine)
    client.get(f"/api/v1/channels/callback?code={mine}&state={state}")
    client.post(f"/api/v1/channels/callback/?code={mine}&state={state}")
    assert api.delete(f"{CONNECTIONS}/{row.pk}").status_code == 200
    assert leaks() == []
