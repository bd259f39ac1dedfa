"""A social account from start to end, by a member and by a key, and nowhere is a secret said."""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import pytest
from django.conf import LazySettings

from connections_project.identity.keys import create_key
from connections_project.identity.models import Scope, User
from connections_project.identity.origins import command_origin
from connections_project.oauth.client import ClientRegistration
from social.models import SocialAccount
from tests.conftest import UseCatalogue
from tests.secrets.conftest import CLIENT_SECRET
from tests.support.bank import REDIRECT_URI
from tests.support.echo_bank import EchoBank
from tests.support.gallery import SOCIAL, Gallery, call_back, start
from tests.support.platform_server import Answer, PlatformServer, Request
from tests.support.token_probe import ProbedClient, TokenProbe

Leaks = Callable[[], list[str]]
MORE = 'adapter = "tests.support.gallery_adapter"'


@dataclass
class EchoGallery(EchoBank, Gallery):
    """A platform whose accounts have tokens of their own, and that repeats what it received."""

    def list_accounts(self, request: Request) -> Answer:
        entries = []
        for account in self.accounts:
            own = f"own-{secrets.token_urlsafe(24)}"
            self.probe.add_secret("an account's own token", own)
            entries.append({"id": account, "username": f"@{account}", "access_token": own})
        return Answer(json={"data": entries})


@pytest.fixture
def gallery(
    server: PlatformServer,
    use_catalogue: UseCatalogue,
    settings: LazySettings,
    probe: TokenProbe,
    monkeypatch: pytest.MonkeyPatch,
) -> EchoGallery:
    made = EchoGallery(server, probe=probe, accounts=["7", "8"])
    use_catalogue(made.catalogue(more=MORE), "gallery")
    settings.OAUTH_CLIENTS["gallery"] = asdict(
        ClientRegistration("ours", CLIENT_SECRET, (REDIRECT_URI,))
    )
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)
    made.open()
    return made


@pytest.fixture(params=["member", "key"])
def caller(
    request: pytest.FixtureRequest, api: ProbedClient, owner: User, probe: TokenProbe
) -> ProbedClient:
    if request.param == "member":
        return api
    team = owner.own_team
    text = create_key(team=team, scopes=Scope.values, origin=command_origin(None)).text
    probe.add_secret("an API key's secret", text[21:])
    client = ProbedClient(probe)
    client.credentials(HTTP_X_API_KEY=text, HTTP_X_TEAM_ID=str(team.pk))
    return client


def code(probe: TokenProbe) -> str:
    made = f"code-{secrets.token_urlsafe(24)}"
    probe.add_secret("code", made)
    return made


def connect(client: ProbedClient, **body: Any) -> list[SocialAccount]:
    answer = call_back(client, start(client, **body), code=code(client.probe))
    assert answer.status_code == 201
    return list(SocialAccount.objects.order_by("platform_account_id"))


def publish(client: ProbedClient, row: SocialAccount) -> int:
    body = {"accountId": str(row.pk), "caption": "Hello"}
    status: int = client.post(f"{SOCIAL}/publish", body).status_code
    return status


def test_a_social_accounts_life_leaves_no_secret(
    caller: ProbedClient, gallery: EchoGallery, probe: TokenProbe, leaks: Leaks
) -> None:
    first, second = connect(caller)
    gallery.server.on("POST", "/7/posts", Answer(json={"id": "71"}))
    assert publish(caller, first) == 200
    caller.get(f"{SOCIAL}/accounts")
    assert caller.post(f"{SOCIAL}/disconnect", {"accountId": str(first.pk)}).status_code == 200
    assert caller.delete(f"{SOCIAL}/disconnect/{second.pk}").status_code == 200
    assert publish(caller, first) == 403
    connect(caller, accountIds=[str(first.pk)])
    # The flow that brought nobody back had its tokens revoked at once.
    assert call_back(caller, start(caller), code=code(probe)).status_code == 201
    probe.read_database_file()
    assert leaks() == []


@pytest.mark.parametrize("status", [400, 401, 503])
def test_failing_calls_repeat_no_echoed_secret(
    caller: ProbedClient,
    client: ProbedClient,
    gallery: EchoGallery,
    probe: TokenProbe,
    leaks: Leaks,
    status: int,
) -> None:
    first, _ = connect(caller)
    gallery.fails("POST", "/7/posts", status)
    assert publish(caller, first) == 502
    for method, path in (("POST", "/token"), ("GET", "/me"), ("GET", "/me/accounts")):
        gallery.open()
        gallery.fails(method, path, status)
        assert call_back(caller, start(caller), code=code(probe)).status_code == 502
    gallery.fails("POST", "/revoke", status)
    mine, state = code(probe), start(caller)
    call_back(caller, start(caller), code=mine, error=mine, error_description=mine)
    call_back(client, state, code=mine)
    client.get(f"{SOCIAL}/callback?code={mine}&state={state}")
    client.post(f"{SOCIAL}/callback/?code={mine}&state={state}")
    assert caller.delete(f"{SOCIAL}/disconnect/{first.pk}").status_code == 200
    assert leaks() == []


def test_a_key_that_is_refused_is_repeated_by_nobody(
    client: ProbedClient, owner: User, probe: TokenProbe, leaks: Leaks
) -> None:
    made = create_key(team=owner.own_team, scopes=Scope.values, origin=command_origin(None))
    probe.add_secret("an API key's secret", made.text[21:])
    for team in ("", "nonsense", str(owner.pk)):
        client.credentials(HTTP_X_API_KEY=made.text, HTTP_X_TEAM_ID=team)
        assert client.get(f"{SOCIAL}/accounts").status_code == 401
    assert leaks() == []
