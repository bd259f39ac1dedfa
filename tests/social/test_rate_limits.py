"""Buckets of the social calls: one a key, or a principal (docs/api.md, "Rate limits")."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from connections_project.api import throttling
from connections_project.api.rate_limits import Policy, consume
from connections_project.connections import throttling as connecting
from connections_project.identity.models import ApiKey, Team, User
from tests.conftest import SignIn
from tests.social.conftest import KeyClient
from tests.support.gallery import SOCIAL, Gallery, call_back, start


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was drawn, in order: the policy and whose bucket it is."""
    drawn: list[tuple[str, str]] = []

    def watched(policy: Policy, key: str) -> Any:
        drawn.append((policy.name, key))
        return consume(policy, key)

    monkeypatch.setattr(throttling, "consume", watched)
    return drawn


def use_all(client: APIClient) -> None:
    client.get(f"{SOCIAL}/accounts")
    client.post(f"{SOCIAL}/disconnect", {}, format="json")
    client.delete(f"{SOCIAL}/disconnect/1")
    client.post(f"{SOCIAL}/publish", {}, format="json")
    call_back(client, start(client))


CALLS = ["SOCIAL_READ", *["SOCIAL_WRITE"] * 3]
EACH = [*CALLS, *["PROVIDER_CONNECT"] * 2]
OF_PROGRAMS = [*CALLS, *["KEY_CONNECT"] * 2]


def test_a_members_calls_count_for_the_principal(
    api: APIClient, owner: User, gallery: Gallery, draws: list[tuple[str, str]]
) -> None:
    use_all(api)
    assert draws == [(name, str(owner.pk)) for name in EACH]


def test_a_keys_calls_draw_on_the_keys_own(
    with_key: KeyClient, team: Team, gallery: Gallery, draws: list[tuple[str, str]]
) -> None:
    use_all(with_key(team))
    assert draws == [(name, str(ApiKey.objects.get().pk)) for name in OF_PROGRAMS]


def test_a_service_account_draws_as_a_key_does(
    service_account: User, sign_in: SignIn, gallery: Gallery, draws: list[tuple[str, str]]
) -> None:
    use_all(sign_in(service_account))
    assert draws == [(name, str(service_account.pk)) for name in OF_PROGRAMS]


def test_two_keys_of_a_team_do_not_share(
    with_key: KeyClient, team: Team, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "KEY_CONNECT", Policy("KEY_CONNECT", burst=2, per_minute=1))
    first, second = with_key(team), with_key(team)
    for _ in range(2):
        start(first)
    body = {"platform": "gallery"}
    assert first.post(f"{SOCIAL}/connect", body, format="json").status_code == 429
    assert second.post(f"{SOCIAL}/connect", body, format="json").status_code == 201


def test_connecting_shares_its_bucket_with_all_apps(api: APIClient, gallery: Gallery) -> None:
    for _ in range(4):
        start(api)
    api.post("/api/v1/providers", {"provider_slug": "schwab"}, format="json")
    answer = api.post(f"{SOCIAL}/connect", {"platform": "gallery"}, format="json")
    assert answer.status_code == 429


def test_each_answer_shows_its_bucket(api: APIClient, with_key: KeyClient, team: Team) -> None:
    for client in (api, with_key(team)):
        read, write = client.get(f"{SOCIAL}/accounts"), client.delete(f"{SOCIAL}/disconnect/1")
        assert (read["X-RateLimit-Limit"], read["X-RateLimit-Remaining"]) == ("200", "199")
        assert (write["X-RateLimit-Limit"], write["X-RateLimit-Remaining"]) == ("50", "49")
        assert "Retry-After" not in write


def test_a_scope_that_is_lacking_draws_too(
    with_key: KeyClient, team: Team, draws: list[tuple[str, str]]
) -> None:
    answer = with_key(team, "social:read").delete(f"{SOCIAL}/disconnect/1")
    assert answer.status_code == 403
    assert [name for name, _ in draws] == ["SOCIAL_WRITE"]


def test_an_unknown_state_draws_on_the_address(
    sign_in: SignIn, owner: User, gallery: Gallery, draws: list[tuple[str, str]]
) -> None:
    call_back(sign_in(owner), "unknown")
    assert draws == [("PROVIDER_CONNECT", "127.0.0.1/32")]
