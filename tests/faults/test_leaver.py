"""Somebody with very many connections leaves by SCIM, while the worker is killed twice.

`LEAVER=10000 pytest tests/faults/test_leaver.py -s` makes it as large as it is to be believed in;
it prints how long each part took.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from django.conf import LazySettings
from django.db import transaction

from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.oauth.client import TokenSet
from connections_project.scim.tokens import create_token
from providers.models import Connection
from tests.faults.conftest import Deploy
from tests.support.bank import Bank
from tests.support.deployment import Deployment
from tests.support.issuer import AUDIENCE, TestIssuer
from tests.support.platform_server import Answer, Request, free_port
from tests.support.provider_rows import connection_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

CONNECTIONS = int(os.environ.get("LEAVER", "1000"))
# As an operator gets them who sets none.
TIMES = {"REVOCATION_LEASE_SECONDS": "30", "REVOCATION_FIRST_RETRY_SECONDS": "30"}
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass
class Leaver:
    """Kim as the service and the directory see them.

    Args:
        site: The service's address.
        scim_token: The directory's Bearer.
        token: Kim's own.
        began_at: When the directory began to say that Kim leaves.
        figures: What took how many seconds from then on.
    """

    site: str
    scim_token: str
    token: str
    resource: dict[str, Any] = field(default_factory=dict)
    began_at: float = 0.0
    figures: dict[str, float] = field(default_factory=dict)

    def scim(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.scim_token}"}
        url = f"{self.site}/scim/v2{path}"
        answer = requests.request(method, url, json=body, headers=headers, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def comes_in(self) -> bool:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = requests.get(f"{self.site}/api/v1/me", headers=headers, timeout=10)
        return answer.status_code == 200

    def leave(self) -> None:
        self.began_at = time.monotonic()
        operation = {"op": "replace", "path": "active", "value": False}
        body = {"schemas": [PATCH], "Operations": [operation]}
        self.scim("PATCH", f"/Users/{self.resource['id']}", body)
        self.note("answered")
        assert not self.comes_in()
        self.note("no token works")

    def note(self, what: str) -> None:
        self.figures[what] = round(time.monotonic() - self.began_at, 2)

    def wait(self, condition: Callable[[], object]) -> None:
        while not condition():
            assert time.monotonic() < self.began_at + 300, self.figures
            time.sleep(0.05)


@pytest.fixture
def deployment(
    bank: Bank, deploy: Deploy, use_catalogue: Callable[..., None], tmp_path: Path,
    settings: LazySettings,
) -> Iterator[tuple[Deployment, Leaver]]:  # fmt: skip
    """A service with one issuer, whose Kim has all these connections at one instant platform."""
    use_catalogue(bank.catalogue(revocation='tokens = ["refresh_token"]'), "bank")
    issuer = TestIssuer(bank.server)
    settings.IDENTITY = issuer.settings()
    file = tmp_path / "issuers.toml"
    file.write_text(f'[issuers.main]\nissuer = "{issuer.url}"\naudiences = ["{AUDIENCE}"]\n')
    running, port = deploy(IDENTITY_ISSUERS=str(file), **TIMES), free_port()
    token = create_token(name="hr", issuer="main", origin=command_origin(None)).text
    leaver = Leaver(f"http://127.0.0.1:{port}", token, issuer.token(sub="kim"))
    with running.web(port), running.beat():
        leaver.resource = leaver.scim("POST", "/Users", {"userName": "kim", **SCHEMAS})
        connect(User.objects.get(pk=leaver.resource["id"]))
        assert leaver.comes_in()
        yield running, leaver


@pytest.fixture
def sent(bank: Bank) -> set[str]:
    """Return the tokens that have come to be revoked; to count all requests takes far longer."""
    tokens: set[str] = set()

    def revoke(request: Request) -> Answer:
        tokens.add(request.form["token"])
        return Answer(200)

    bank.server.on("POST", "/revoke", revoke)
    return tokens


SCHEMAS = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}


def connect(user: User) -> None:
    with transaction.atomic():
        for number in range(CONNECTIONS):
            connection_of(
                user, account_id=f"account-{number}", tokens=TokenSet("access", f"refresh-{number}")
            )


def live() -> int:
    return Connection.objects.filter(disconnected_at=None).count()


def test_all_is_over_within_a_minute(deployment: tuple[Deployment, Leaver], sent: set[str]) -> None:
    running, leaver = deployment
    before = os.times().children_user + os.times().children_system
    with ExitStack() as first:
        (worker,) = first.enter_context(running.workers(1))
        leaver.leave()
        leaver.wait(lambda: live() < CONNECTIONS)
        worker.kill()
    with ExitStack() as second:
        (worker,) = second.enter_context(running.workers(1))
        leaver.wait(lambda: len(sent) > CONNECTIONS // 10)
        worker.kill()
    with running.workers(1):
        leaver.wait(lambda: not live())
        leaver.note("connections over")
        leaver.wait(lambda: len(sent) == CONNECTIONS)
        leaver.note("revocations sent")
        leaver.wait(lambda: verified(leaver) == {"revoked": CONNECTIONS})
    # That of three workers, their starts included: on a busy machine it says more than the clock.
    spent = os.times().children_user + os.times().children_system - before
    leaver.figures["processor of the workers"] = round(spent, 2)
    print(f"\n{CONNECTIONS} connections, seconds: {leaver.figures}")  # noqa: T201
    assert leaver.figures["no token works"] < 1
    assert leaver.figures["connections over"] < 30
    assert leaver.figures["revocations sent"] < 60


def verified(leaver: Leaver) -> dict[str, int]:
    """Verify the leaver's receipt by the published key; return its tokens by state."""
    receipt = leaver.scim("GET", f"/Users/{leaver.resource['id']}/leaver-receipt")["receipt"]
    keys = jwt.PyJWKSet.from_dict(requests.get(f"{leaver.site}/.well-known/jwks.json").json())
    kid = jwt.get_unverified_header(receipt)["kid"]
    claims = jwt.decode(receipt, keys[kid].key, ["EdDSA"])
    assert claims["remaining"] == []
    assert [one["connections"] for one in claims["ended"]] == [CONNECTIONS]
    return {one["state"]: one["tokens"] for one in claims["revocations"]}
