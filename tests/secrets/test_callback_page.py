"""The page for people, of whose address the secrets are a part."""

import re
import secrets
from collections.abc import Callable
from html import unescape

import pytest

from connections_project.identity.models import User
from tests.secrets.conftest import PASSWORD
from tests.support.bank import start
from tests.support.echo_bank import EchoBank
from tests.support.token_probe import ProbedClient, TokenProbe

Leaks = Callable[[], list[str]]
PAGE = "/oauth/callback/bank"


@pytest.fixture
def code(probe: TokenProbe) -> str:
    made = f"code-{secrets.token_urlsafe(24)}"
    probe.add_secret("code", made)
    return made


def visit(client: ProbedClient, **query: str) -> int:
    return client.get(PAGE, query).status_code


def test_the_page_of_a_flow_that_ends_repeats_nothing(
    api: ProbedClient, bank: EchoBank, code: str, leaks: Leaks
) -> None:
    # The client keeps the cookie of each start, as the browser that was sent away does.
    assert visit(api, state=start(api), code=code) == 200
    bank.fails("POST", "/token", 400)
    assert visit(api, state=start(api), code=code) == 502
    assert visit(api, state=start(api), error=code, error_description=code) == 400
    assert visit(api, state=start(api), code=code, iss=code) == 502
    assert visit(api, state=code, code=code) == 400
    assert visit(api, code=code) == 400
    assert leaks() == []


def test_the_page_for_strangers_repeats_nothing(
    api: ProbedClient,
    client: ProbedClient,
    owner: User,
    superuser: User,
    bank: EchoBank,
    code: str,
    leaks: Leaks,
) -> None:
    state = start(api)
    page = client.get(PAGE, {"state": state, "code": code})
    assert page.status_code == 400
    link = re.search(rb'href="(/sign-in[^"]*)"', page.content)
    assert link
    client.get(unescape(link[1].decode()))
    body = {"username": superuser.email, "password": PASSWORD}
    client.post("/sign-in", body, format="multipart")
    assert visit(client, state=state, code=code) == 403
    assert leaks() == []
