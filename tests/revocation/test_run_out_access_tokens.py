"""Platforms that are told by the access token itself, which has run out meanwhile.

Its 401 proves nothing while a refresh token lives (Monzo, Coinbase). Neither does a refusal where a
form can only name the access token (TikTok).
"""

from collections.abc import Callable

import pytest

from connections_project.core.vault import open_sealed
from connections_project.identity.models import User
from connections_project.oauth.client import TokenSet
from connections_project.revocation.models import RevocationJob
from tests.bank import Bank
from tests.revocation.conftest import EndOf, drained, make_due
from tests.rows import connection_of
from tests.servers import Answer, Request


def bearers(bank: Bank) -> list[str]:
    return [one.headers["Authorization"] for one in bank.server.requests_to("/revoke")]


@pytest.fixture(autouse=True)
def by_bearer(bank: Bank, use_catalogue: Callable[..., None]) -> None:
    """Let the platform take back only the token that it is told by, and only a living one."""
    table = 'tokens = ["access_token"]\nclient_auth = false\nblast_radius = "grant"'
    text = bank.catalogue(revocation=table).replace("rfc7009", "bearer_post")
    use_catalogue(text, "bank")

    def revoke(request: Request) -> Answer:
        living = request.headers["Authorization"] != "Bearer access-0"
        return Answer(200) if living else Answer(401, json={"error": "unauthorized"})

    bank.server.on("POST", "/revoke", revoke)


def test_a_fresh_one_is_got_and_the_grant_revoked_with_it(job: RevocationJob, bank: Bank) -> None:
    assert drained() == ["revoked"]
    assert bearers(bank) == ["Bearer access-0", "Bearer access-1"]
    (refresh,) = bank.token_requests("refresh_token")
    assert refresh.form["refresh_token"] == "refresh-0"
    job.refresh_from_db()
    assert job.sealed_tokens is None


def test_what_the_platform_rotated_is_kept_for_the_next_try(job: RevocationJob, bank: Bank) -> None:
    bank.server.on("POST", "/revoke", Answer(401, json={}), Answer(503), Answer(200))
    assert drained() == ["pending"]
    job.refresh_from_db()
    assert job.sealed_tokens is not None
    opened = open_sealed(job.sealed_tokens, subject=f"connection:{job.connection_id}")
    assert TokenSet.from_payload(opened) == TokenSet("access-1", "refresh-1")
    make_due(job)
    assert drained() == ["revoked"]
    assert len(bank.token_requests("refresh_token")) == 1


def test_a_refresh_token_that_is_not_rotated_is_kept_too(job: RevocationJob, bank: Bank) -> None:
    bank.server.on("POST", "/revoke", Answer(401, json={}), Answer(503))
    bank.server.on("POST", "/token", bank.tokens(refresh_token=None))
    drained()
    job.refresh_from_db()
    assert job.sealed_tokens is not None
    opened = open_sealed(job.sealed_tokens, subject=f"connection:{job.connection_id}")
    assert TokenSet.from_payload(opened) == TokenSet("access-1", "refresh-0")


def test_a_grant_that_is_dead_needs_no_revocation(job: RevocationJob, bank: Bank) -> None:
    bank.server.on("POST", "/token", Answer(400, json={"error": "invalid_grant"}))
    assert drained() == ["revoked"]


@pytest.mark.parametrize("answer", [Answer(500), Answer(400, json={"error": "invalid_request"})])
def test_a_refresh_that_fails_otherwise_proves_nothing(
    job: RevocationJob, bank: Bank, answer: Answer
) -> None:
    bank.server.on("POST", "/token", answer)
    assert drained() == ["pending"]
    job.refresh_from_db()
    assert job.sealed_tokens is not None


def test_without_a_refresh_token_it_stays_a_failure(owner: User, bank: Bank, end: EndOf) -> None:
    end(connection_of(owner, tokens=TokenSet("access-0")))
    assert drained() == ["pending"]
    assert bank.server.requests_to("/token") == []


def test_wrong_client_credentials_are_no_run_out_token(job: RevocationJob, bank: Bank) -> None:
    bank.server.on("POST", "/revoke", Answer(401, json={"error": "invalid_client"}))
    assert drained() == ["pending"]
    assert bank.server.requests_to("/token") == []


def test_a_fresh_token_that_is_refused_too_is_a_failure(job: RevocationJob, bank: Bank) -> None:
    bank.server.on("POST", "/revoke", Answer(401, json={}))
    assert drained() == ["pending"]
    assert len(bank.token_requests("refresh_token")) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        Answer(400, json={"error": "invalid_token"}),
        Answer(200, json={"error": "access_token_invalid", "log_id": "2026"}),
    ],
)
def test_where_a_form_names_only_the_access_token_it_is_the_same(
    owner: User, bank: Bank, use_catalogue: Callable[..., None], end: EndOf, refusal: Answer
) -> None:
    use_catalogue(bank.catalogue(revocation='tokens = ["access_token"]'), "bank")
    end(connection_of(owner))
    bank.server.on("POST", "/revoke", refusal, Answer(200))
    assert drained() == ["revoked"]
    assert bank.revoked == ["access-0", "access-1"]
    assert len(bank.token_requests("refresh_token")) == 1
