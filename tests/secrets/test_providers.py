"""The whole flow, also where it fails, and nowhere is a secret said."""

import io
import secrets
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from connections_project.connections import store_grant
from connections_project.identity.models import User
from connections_project.revocation.models import JobState, RevocationJob
from providers.models import Connection
from tests.secrets.conftest import PASSWORD
from tests.support.bank import call_back, start
from tests.support.echo_bank import EchoBank, echo_malformed
from tests.support.platform_server import Answer
from tests.support.token_probe import ProbedClient, TokenProbe

Leaks = Callable[[], list[str]]


def sealed() -> list[str]:
    """Return every ciphertext that stands in the database."""
    columns = [
        *Connection.objects.values_list("auth_state", flat=True),
        *RevocationJob.objects.values_list("sealed_tokens", flat=True),
    ]
    found = [each.ciphertext for each in columns if each is not None]
    assert found
    return found


FAILURES = [307, 400, 401, 429, 503]


def code(probe: TokenProbe) -> str:
    made = f"code-{secrets.token_urlsafe(24)}"
    probe.add_secret("code", made)
    return made


def connect(api: ProbedClient) -> Connection:
    answer = call_back(api, start(api), code=code(api.probe))
    assert answer.status_code == 201
    return Connection.objects.get(pk=answer.json()["id"])


def test_signing_in_leaks_no_secret(
    owner: User, client: ProbedClient, probe: TokenProbe, leaks: Leaks
) -> None:
    wrong = f"wrong-{secrets.token_urlsafe(24)}"
    probe.add_secret("wrong password", wrong)

    def post(call: str, body: object) -> dict[str, str]:
        answer = client.post(f"/api/v1/auth/{call}", body)
        result: dict[str, str] = answer.json() if answer.content else {}
        return result

    post("login", {"email": owner.email, "password": wrong})
    post("login", {"email": wrong, "password": wrong})
    post("login", {"email": owner.email, "password": [wrong]})
    client.post("/api/v1/auth/login", f'{{"password": "{wrong}', content_type="application/json")
    client.post("/api/v1/auth/login", f"password={wrong}", content_type="text/plain")
    first = post("login", {"email": owner.email, "password": PASSWORD})
    post("refresh", {"refresh_token": first["refresh_token"]})
    post("refresh", {"refresh_token": first["refresh_token"]})
    post("refresh", {"refresh_token": first["access_token"]})
    post("logout", {"refresh_token": first["refresh_token"]})
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {first['refresh_token']}")
    client.get("/api/v1/providers")
    client.credentials(HTTP_AUTHORIZATION=f"Token {first['access_token']}")
    client.get("/api/v1/providers")
    page = {"username": owner.email, "password": wrong}
    assert client.post("/sign-in", page, format="multipart").status_code == 200
    right = page | {"password": PASSWORD}
    assert client.post("/sign-in", right, format="multipart").status_code == 302
    assert leaks() == []


def test_a_connections_life_leaves_no_secret_behind(
    api: ProbedClient, bank: EchoBank, probe: TokenProbe, leaks: Leaks
) -> None:
    connection = connect(api)
    for force in (False, True):
        api.post(f"/api/v1/providers/{connection.pk}/token-refreshes", {"force": force})
        api.post("/api/v1/accounts/syncs", {"connection_id": connection.pk, "force": force})
    assert Connection.objects.get().opened().access_token in probe.secrets
    api.get("/api/v1/providers")
    api.patch(f"/api/v1/providers/{connection.pk}", {"alias": "Mine"})
    probe.read_database_file()
    assert leaks() == []
    probe.add_secret("ciphertext", *sealed())
    assert api.delete(f"/api/v1/providers/{connection.pk}").status_code == 204
    api.get(f"/api/v1/providers/{connection.pk}")
    api.delete(f"/api/v1/providers/{connection.pk}")
    assert RevocationJob.objects.get().state == JobState.REVOKED
    # The SQL that was logged bears what is stored; what counts is what stands there now.
    probe.texts.clear()
    assert leaks() == []


@pytest.mark.parametrize("status", FAILURES)
def test_failing_callbacks_repeat_no_echoed_secret(
    api: ProbedClient, bank: EchoBank, probe: TokenProbe, leaks: Leaks, status: int
) -> None:
    bank.fails("POST", "/token", status, error="invalid_client" if status == 401 else "told")
    assert call_back(api, start(api), code=code(probe)).status_code == 502
    bank.open()
    bank.fails("GET", "/me", status)
    assert call_back(api, start(api), code=code(probe)).status_code == 502
    assert leaks() == []


def test_callbacks_that_are_refused_repeat_nothing(
    api: ProbedClient,
    client: ProbedClient,
    bank: EchoBank,
    probe: TokenProbe,
    leaks: Leaks,
) -> None:
    mine = code(probe)
    state = start(api)
    for query in (
        {"error": "access_denied", "error_description": mine},
        {"error": mine},
        {"iss": f"https://{mine}.example.com"},
    ):
        call_back(api, start(api), code=mine, **query)
    call_back(client, state, code=mine)
    call_back(client, state, code=mine)
    call_back(api, f"{state}\0", code=mine)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {mine}")
    call_back(client, start(api), code=mine)
    client.post(f"/api/v1/providers/callback/?code={mine}&state={state}")
    client.get(f"/api/v1/providers/callback?code={mine}&state={state}")
    client.post(f"/api/v1/nowhere?code={mine}&state={state}")
    bank.server.on("POST", "/token", bank.probing(echo_malformed))
    call_back(api, start(api), code=mine)
    bank.server.on("POST", "/token", Answer(reset=True))
    call_back(api, start(api), code=mine)
    assert leaks() == []


@pytest.mark.parametrize("status", FAILURES)
def test_use_that_fails_repeats_nothing(
    api: ProbedClient, bank: EchoBank, leaks: Leaks, status: int
) -> None:
    connection = connect(api)
    refresh = f"/api/v1/providers/{connection.pk}/token-refreshes"
    sync = {"connection_id": connection.pk, "force": True}
    bank.fails("GET", "/accounts", status)
    assert api.post("/api/v1/accounts/syncs", sync).status_code == 502
    # A 401 that a refresh did not help has ended the connection.
    then = 403 if status == 401 else 502
    bank.fails("POST", "/token", status)
    assert api.post(refresh, {"force": True}).status_code == then
    assert api.post("/api/v1/accounts/syncs", sync).status_code == then
    bank.server.on("POST", "/token", bank.probing(echo_malformed))
    assert api.post(refresh, {"force": True}).status_code == then
    bank.fails("POST", "/token", 400, error="invalid_grant")
    assert api.post(refresh, {"force": True}).status_code == then
    assert leaks() == []


@pytest.mark.parametrize("status", [302, 400, 401, 429, 503])
def test_failing_revocations_repeat_no_echoed_secret(
    api: ProbedClient, bank: EchoBank, probe: TokenProbe, leaks: Leaks, status: int
) -> None:
    connection = connect(api)
    error = "invalid_client" if status == 401 else "told"
    bank.fails("POST", "/revoke", status, error=error)
    assert api.delete(f"/api/v1/auth/{connection.pk}/disconnect").status_code == 200
    for options in ([], ["--json"], ["--once"]):
        RevocationJob.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        out, err = io.StringIO(), io.StringIO()
        call_command("run_revocations", *options, stdout=out, stderr=err)
        probe.read("a command", out.getvalue() + err.getvalue())
    assert RevocationJob.objects.get().attempts == 4
    assert leaks() == []


def test_a_job_that_is_given_up_leaves_no_ciphertext(
    api: ProbedClient, bank: EchoBank, probe: TokenProbe, leaks: Leaks
) -> None:
    connection = connect(api)
    bank.fails("POST", "/revoke", 503)
    api.delete(f"/api/v1/auth/{connection.pk}/disconnect")
    long_ago = timezone.now() - timedelta(days=2)
    RevocationJob.objects.update(created_at=long_ago, due_at=long_ago)
    probe.add_secret("ciphertext", *sealed())
    call_command("run_revocations", stdout=io.StringIO())
    probe.texts.clear()
    assert RevocationJob.objects.get().state == JobState.ABANDONED
    assert leaks() == []


def test_an_unforeseen_exception_shows_nothing(
    api: ProbedClient,
    bank: EchoBank,
    probe: TokenProbe,
    leaks: Leaks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = connect(api)

    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("it broke")

    monkeypatch.setattr(store_grant, "add_holder", break_down)
    monkeypatch.setattr("connections_project.connections.refresh.add_holder", break_down)
    assert call_back(api, start(api), code=code(probe)).status_code == 500
    path = f"/api/v1/providers/{connection.pk}/token-refreshes"
    assert api.post(path, {"force": True}).status_code == 500
    assert any("it broke" in texts for where, texts in probe.texts if where.startswith("the log"))
    assert leaks() == []
