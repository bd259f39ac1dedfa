"""Platforms that revoke by the access token itself, which has run out meanwhile.

Its 401 proves nothing while a refresh token lives (Monzo, Coinbase). Neither does a refusal where a
form can only name the access token (TikTok).
"""

from collections.abc import Callable
from itertools import count
from typing import NoReturn

import pytest
from django.db import OperationalError

from connections_project.core.vault import open_sealed
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from connections_project.revocation import send
from connections_project.revocation.models import RevocationJob
from tests.revocation.conftest import EndOf, make_due, processed
from tests.support.bank import Bank
from tests.support.platform_server import Answer, Request
from tests.support.provider_rows import connection_of


def bearers(bank: Bank) -> list[str]:
    return [one.headers["Authorization"] for one in bank.server.requests_to("/revoke")]


@pytest.fixture(autouse=True)
def by_bearer(bank: Bank, use_catalogue: Callable[..., None]) -> None:
    """Set the platform to revoke only the token it gets, and only a living one."""
    table = 'tokens = ["access_token"]\nclient_auth = false\nblast_radius = "grant"'
    text = bank.catalogue(revocation=table).replace("rfc7009", "bearer_post")
    use_catalogue(text, "bank")

    def revoke(request: Request) -> Answer:
        living = request.headers["Authorization"] != "Bearer access-0"
        return Answer(200) if living else Answer(401, json={"error": "unauthorized"})

    bank.server.on("POST", "/revoke", revoke)


def test_a_fresh_one_revokes_the_grant(job: RevocationJob, bank: Bank) -> None:
    assert processed() == ["revoked"]
    assert bearers(bank) == ["Bearer access-0", "Bearer access-1"]
    (refresh,) = bank.token_requests("refresh_token")
    assert refresh.form["refresh_token"] == "refresh-0"
    job.refresh_from_db()
    assert job.sealed_tokens is None


def test_an_error_with_a_status_of_success_is_no_success(job: RevocationJob, bank: Bank) -> None:
    refusal = Answer(200, json={"error": "invalid_token"})
    bank.server.on("POST", "/revoke", refusal, Answer(200))
    assert processed() == ["revoked"]
    assert bearers(bank) == ["Bearer access-0", "Bearer access-1"]


def test_a_rotated_token_is_kept_for_the_next_try(job: RevocationJob, bank: Bank) -> None:
    bank.server.on("POST", "/revoke", Answer(401, json={}), Answer(503), Answer(200))
    assert processed() == ["pending"]
    job.refresh_from_db()
    assert job.sealed_tokens is not None
    opened = open_sealed(job.sealed_tokens, subject=f"connection:{job.connection_id}")
    assert TokenSet.from_payload(opened) == TokenSet("access-1", "refresh-1")
    make_due(job)
    assert processed() == ["revoked"]
    assert len(bank.token_requests("refresh_token")) == 1


@pytest.mark.parametrize(
    ("body", "passes"),
    [
        (b'{"access_token": "access-1", "refresh_token": "refresh-1", "scope": "re', 1),
        (b'{"refresh_token": "refresh-1"}', 2),
    ],
)
def test_an_odd_answer_to_the_refresh_loses_no_token(
    job: RevocationJob, bank: Bank, body: bytes, passes: int
) -> None:
    bank.server.on("POST", "/token", only_once(Answer(body=body), then=bank.tokens()))
    for _ in range(passes):
        make_due(job)
        state = processed()
    assert state == ["revoked"]
    assert bearers(bank)[-1] == "Bearer access-1"


def test_fresh_tokens_that_cannot_be_stored_are_revoked_at_once(
    job: RevocationJob, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise OperationalError

    monkeypatch.setattr(send, "_store", fail)
    bank.server.on("POST", "/token", only_once(bank.tokens(), then=Answer(500)))
    assert processed() == ["revoked"]
    assert bearers(bank)[-1] == "Bearer access-1"


def test_fresh_tokens_are_stored_at_the_second_try(
    job: RevocationJob, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, tries = send._store, count(1)

    def fail_once(job: RevocationJob, fresh: TokenSet) -> None:
        if next(tries) == 1:
            raise OperationalError
        store(job, fresh)

    monkeypatch.setattr(send, "_store", fail_once)
    bank.server.on("POST", "/revoke", Answer(401, json={}), Answer(503), Answer(200))
    processed()
    make_due(job)
    assert processed() == ["revoked"]
    assert len(bank.token_requests("refresh_token")) == 1


def only_once(first: Answer, *, then: Answer) -> Callable[[Request], Answer]:
    """Answer as a platform that rotates refresh tokens: the first one is spent by its first use."""
    uses = count(1)

    def answer(request: Request) -> Answer:
        if request.form["refresh_token"] != "refresh-0":
            return then
        return first if next(uses) == 1 else Answer(400, json={"error": "invalid_grant"})

    return answer


def test_an_unrotated_refresh_token_is_kept_too(job: RevocationJob, bank: Bank) -> None:
    bank.server.on("POST", "/revoke", Answer(401, json={}), Answer(503))
    bank.server.on("POST", "/token", bank.tokens(refresh_token=None))
    processed()
    job.refresh_from_db()
    assert job.sealed_tokens is not None
    opened = open_sealed(job.sealed_tokens, subject=f"connection:{job.connection_id}")
    assert TokenSet.from_payload(opened) == TokenSet("access-1", "refresh-0")


def test_a_grant_that_is_dead_needs_no_revocation(job: RevocationJob, bank: Bank) -> None:
    bank.server.on("POST", "/token", Answer(400, json={"error": "invalid_grant"}))
    assert processed() == ["revoked"]


@pytest.mark.parametrize("answer", [Answer(500), Answer(400, json={"error": "invalid_request"})])
def test_another_refresh_failure_proves_nothing(
    job: RevocationJob, bank: Bank, answer: Answer
) -> None:
    bank.server.on("POST", "/token", answer)
    assert processed() == ["pending"]
    job.refresh_from_db()
    assert job.sealed_tokens is not None


def test_without_a_refresh_token_it_stays_a_failure(owner: User, bank: Bank, end: EndOf) -> None:
    end(connection_of(owner, tokens=TokenSet("access-0")))
    assert processed() == ["pending"]
    assert bank.server.requests_to("/token") == []


@pytest.mark.parametrize("status", [200, 400, 401])
def test_wrong_credentials_are_no_expired_token(
    job: RevocationJob, bank: Bank, status: int
) -> None:
    bank.server.on("POST", "/revoke", Answer(status, json={"error": "invalid_client"}))
    assert processed() == ["pending"]
    assert bank.server.requests_to("/token") == []


def test_a_refused_fresh_token_is_a_failure(job: RevocationJob, bank: Bank) -> None:
    bank.server.on("POST", "/revoke", Answer(401, json={}))
    assert processed() == ["pending"]
    assert len(bank.token_requests("refresh_token")) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        Answer(400, json={"error": "invalid_token"}),
        Answer(200, json={"error": "access_token_invalid", "log_id": "2026"}),
    ],
)
def test_access_token_only_forms_behave_alike(
    owner: User, bank: Bank, use_catalogue: Callable[..., None], end: EndOf, refusal: Answer
) -> None:
    use_catalogue(bank.catalogue(revocation='tokens = ["access_token"]'), "bank")
    end(connection_of(owner))
    bank.server.on("POST", "/revoke", refusal, Answer(200))
    assert processed() == ["revoked"]
    assert bank.revoked == ["access-0", "access-1"]
    assert len(bank.token_requests("refresh_token")) == 1
