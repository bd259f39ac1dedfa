"""Social accounts' whole story, by a member and by a key, and nowhere is a secret said."""

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
from tests.bank import REDIRECT_URI
from tests.conftest import UseCatalogue
from tests.gallery import SOCIAL, Gallery, call_back, start
from tests.secrets.conftest import CLIENT_SECRET
from tests.secrets.gossip import GossipingBank
from tests.secrets.witness import Witness, WitnessedClient
from tests.servers import Answer, PlatformServer, Request

Leaks = Callable[[], list[str]]
MORE = 'adapter = "tests.gallery_adapter"'


@dataclass
class GossipingGallery(GossipingBank, Gallery):
    """A platform whose accounts have tokens of their own, and that repeats what it was told."""

    def list_accounts(self, request: Request) -> Answer:
        entries = []
        for account in self.accounts:
            own = f"own-{secrets.token_urlsafe(24)}"
            self.witness.knows("an account's own token", own)
            entries.append({"id": account, "username": f"@{account}", "access_token": own})
        return Answer(json={"data": entries})


@pytest.fixture
def gallery(
    server: PlatformServer,
    use_catalogue: UseCatalogue,
    settings: LazySettings,
    witness: Witness,
    monkeypatch: pytest.MonkeyPatch,
) -> GossipingGallery:
    made = GossipingGallery(server, witness=witness, accounts=["7", "8"])
    use_catalogue(made.catalogue(more=MORE), "gallery")
    settings.OAUTH_CLIENTS["gallery"] = asdict(
        ClientRegistration("ours", CLIENT_SECRET, (REDIRECT_URI,))
    )
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)
    made.open()
    return made


@pytest.fixture(params=["member", "key"])
def caller(
    request: pytest.FixtureRequest, api: WitnessedClient, owner: User, witness: Witness
) -> WitnessedClient:
    if request.param == "member":
        return api
    team = owner.own_team
    text = create_key(team=team, scopes=Scope.values, origin=command_origin(None)).text
    witness.knows("an API key's secret", text[21:])
    client = WitnessedClient(witness)
    client.credentials(HTTP_X_API_KEY=text, HTTP_X_TEAM_ID=str(team.pk))
    return client


def code(witness: Witness) -> str:
    made = f"code-{secrets.token_urlsafe(24)}"
    witness.knows("code", made)
    return made


def connect(client: WitnessedClient, **body: Any) -> list[SocialAccount]:
    answer = call_back(client, start(client, **body), code=code(client.witness))
    assert answer.status_code == 201
    return list(SocialAccount.objects.order_by("platform_account_id"))


def publish(client: WitnessedClient, row: SocialAccount) -> int:
    body = {"accountId": str(row.pk), "caption": "Hello"}
    status: int = client.post(f"{SOCIAL}/publish", body).status_code
    return status


def test_social_accounts_from_start_to_end_leave_nothing_behind(
    caller: WitnessedClient, gallery: GossipingGallery, witness: Witness, leaks: Leaks
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
    assert call_back(caller, start(caller), code=code(witness)).status_code == 201
    witness.reads_the_database_file()
    assert leaks() == []


@pytest.mark.parametrize("status", [400, 401, 503])
def test_calls_that_fail_repeat_nothing_of_what_the_platform_repeats(
    caller: WitnessedClient,
    client: WitnessedClient,
    gallery: GossipingGallery,
    witness: Witness,
    leaks: Leaks,
    status: int,
) -> None:
    first, _ = connect(caller)
    gallery.fails("POST", "/7/posts", status)
    assert publish(caller, first) == 502
    for method, path in (("POST", "/token"), ("GET", "/me"), ("GET", "/me/accounts")):
        gallery.open()
        gallery.fails(method, path, status)
        assert call_back(caller, start(caller), code=code(witness)).status_code == 502
    gallery.fails("POST", "/revoke", status)
    mine, state = code(witness), start(caller)
    call_back(caller, start(caller), code=mine, error=mine, error_description=mine)
    call_back(client, state, code=mine)
    client.get(f"{SOCIAL}/callback?code={mine}&state={state}")
    client.post(f"{SOCIAL}/callback/?code={mine}&state={state}")
    assert caller.delete(f"{SOCIAL}/disconnect/{first.pk}").status_code == 200
    assert leaks() == []


def test_a_key_that_is_refused_is_repeated_by_nobody(
    client: WitnessedClient, owner: User, witness: Witness, leaks: Leaks
) -> None:
    made = create_key(team=owner.own_team, scopes=Scope.values, origin=command_origin(None))
    witness.knows("an API key's secret", made.text[21:])
    for team in ("", "nonsense", str(owner.pk)):
        client.credentials(HTTP_X_API_KEY=made.text, HTTP_X_TEAM_ID=team)
        assert client.get(f"{SOCIAL}/accounts").status_code == 401
    assert leaks() == []
