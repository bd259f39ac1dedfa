"""Dual authentication: a member's Bearer or a team's key, and one answer to all that is neither."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from connections_project.identity.keys import create_key
from connections_project.identity.models import ApiKey, Team, User
from connections_project.identity.origins import command_origin

Ask = Callable[..., Any]


@pytest.fixture
def ask(client: Client) -> Ask:
    return lambda **headers: client.get(
        "/api/v1/team-caller",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def key_of(team: Team, **more: Any) -> str:
    new = create_key(team=team, scopes=["social:read"], origin=command_origin(None), **more)
    return new.text


@pytest.fixture
def bearer(signed_in: dict[str, Any]) -> str:
    return f"Bearer {signed_in['access_token']}"


def test_a_bearer_speaks_for_the_users_own_team(ask: Ask, bearer: str, owner: User) -> None:
    assert ask(Authorization=bearer).json() == {
        "team_id": str(owner.own_team.pk),
        "actor_type": "user",
        "actor_id": str(owner.pk),
    }


def test_a_bearer_speaks_for_the_team_that_it_names(
    ask: Ask, bearer: str, owner: User, outsider: User
) -> None:
    team = outsider.own_team
    team.memberships.create(user=owner)
    answer = ask(Authorization=bearer, x_team_id=str(team.pk).upper())
    assert answer.json()["team_id"] == str(team.pk)


def test_a_key_acts_for_its_team_and_no_member(ask: Ask, owner: User) -> None:
    text = key_of(owner.own_team, created_by=owner)
    assert ask(x_api_key=text, x_team_id=str(owner.own_team.pk)).json() == {
        "team_id": str(owner.own_team.pk),
        "actor_type": "service",
        "actor_id": str(ApiKey.objects.get().pk),
    }


def test_a_key_goes_on_when_its_maker_is_deactivated(ask: Ask, owner: User) -> None:
    text = key_of(owner.own_team, created_by=owner)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert ask(x_api_key=text, x_team_id=str(owner.own_team.pk)).status_code == 200


Forge = Callable[[str, Team, Team], dict[str, str]]
UNKNOWN = "cnx_0123456789abcdef_" + "a" * 43
FORGERIES: dict[str, Forge] = {
    "no team": lambda key, own, other: {"x_api_key": key},
    "an empty team": lambda key, own, other: {"x_api_key": key, "x_team_id": ""},
    "another team": lambda key, own, other: {"x_api_key": key, "x_team_id": str(other.pk)},
    "an unknown team": lambda key, own, other: {
        "x_api_key": key,
        "x_team_id": "0198c0de-0000-7000-8000-000000000000",
    },
    "no id of a team": lambda key, own, other: {"x_api_key": key, "x_team_id": "team"},
    "a wrong secret": lambda key, own, other: {
        "x_api_key": key[:-1] + ("A" if key[-1] != "A" else "B"),
        "x_team_id": str(own.pk),
    },
    "an unknown beginning": lambda key, own, other: {
        "x_api_key": UNKNOWN,
        "x_team_id": str(own.pk),
    },
    "the beginning alone": lambda key, own, other: {
        "x_api_key": key[:20],
        "x_team_id": str(own.pk),
    },
    "its hash": lambda key, own, other: {
        "x_api_key": f"{key[:20]}_{ApiKey.objects.get().secret_sha256}",
        "x_team_id": str(own.pk),
    },
    "an empty key": lambda key, own, other: {"x_api_key": "", "x_team_id": str(own.pk)},
    "no ASCII": lambda key, own, other: {"x_api_key": "ü" * 64, "x_team_id": str(own.pk)},
    "a huge key": lambda key, own, other: {"x_api_key": "a" * 7000, "x_team_id": str(own.pk)},
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_every_failed_key_is_one_answer_and_query(
    ask: Ask,
    owner: User,
    outsider: User,
    forge: Forge,
    django_assert_num_queries: Any,
) -> None:
    headers = forge(key_of(owner.own_team), owner.own_team, outsider.own_team)
    with django_assert_num_queries(1):
        answer = ask(**headers)
    assert _refusal(answer) == _refusal(ask(x_api_key=UNKNOWN, x_team_id="nonsense"))
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def _refusal(answer: Any) -> Any:
    """Return all of an answer but its trace id and how full the bucket is."""
    assert answer.status_code == 401
    body = answer.json()
    body.pop("trace_id")
    per_request = ("X-Trace-Id", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Content-Length")
    return body, {k: v for k, v in answer.headers.items() if k not in per_request}


def test_revoked_and_ended_keys_answer_alike(
    ask: Ask, owner: User, django_assert_num_queries: Any
) -> None:
    team = owner.own_team
    ended = key_of(team, expires_at=timezone.now() + timedelta(hours=1))
    revoked = key_of(team)
    assert ask(x_api_key=ended, x_team_id=str(team.pk)).status_code == 200
    call_command("revoke_api_key", revoked[:20], verbosity=0)
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        for text in (ended, revoked):
            with django_assert_num_queries(1):
                answer = ask(x_api_key=text, x_team_id=str(team.pk))
            assert _refusal(answer) == _refusal(ask(x_api_key=UNKNOWN, x_team_id=str(team.pk)))


@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_two_good_credentials_at_once_are_refused(
    ask: Ask, bearer: str, owner: User, scheme: str
) -> None:
    authorization = bearer.replace("Bearer", scheme)
    text = key_of(owner.own_team)
    answer = ask(Authorization=authorization, x_api_key=text, x_team_id=str(owner.own_team.pk))
    assert answer.status_code == 401


@pytest.mark.parametrize("headers", [{}, {"x_team_id": "OWN"}])
def test_nothing_is_refused(ask: Ask, owner: User, headers: dict[str, str]) -> None:
    named = {name: str(owner.own_team.pk) for name in headers}
    assert ask(**named).status_code == 401


@pytest.mark.parametrize("team", ["", "nonsense", "0198c0de-0000-7000-8000-000000000000", "OTHER"])
def test_a_bearer_for_a_foreign_team_is_refused(
    ask: Ask, bearer: str, outsider: User, team: str, django_assert_num_queries: Any
) -> None:
    named = str(outsider.own_team.pk) if team == "OTHER" else team
    with django_assert_num_queries(2):
        answer = ask(Authorization=bearer, x_team_id=named)
    assert _refusal(answer) == _refusal(ask(Authorization="Bearer nonsense"))


def test_whoever_has_left_the_team_is_refused(
    ask: Ask, bearer: str, owner: User, outsider: User
) -> None:
    team = outsider.own_team
    membership = team.memberships.create(user=owner)
    assert ask(Authorization=bearer, x_team_id=str(team.pk)).status_code == 200
    membership.delete()
    assert ask(Authorization=bearer, x_team_id=str(team.pk)).status_code == 401


def test_a_use_is_noted_at_most_once_a_minute(
    ask: Ask, owner: User, django_assert_num_queries: Any
) -> None:
    headers = {"x_api_key": key_of(owner.own_team), "x_team_id": str(owner.own_team.pk)}
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        with django_assert_num_queries(2):
            ask(**headers)
        assert ApiKey.objects.get().last_used_at == start
    with time_machine.travel(start + timedelta(seconds=59), tick=False):
        with django_assert_num_queries(1):
            ask(**headers)
        assert ApiKey.objects.get().last_used_at == start
    later = start + timedelta(seconds=61)
    with time_machine.travel(later, tick=False):
        ask(**headers)
    assert ApiKey.objects.get().last_used_at == later


@pytest.mark.usefixtures("still_buckets")
def test_failures_draw_on_the_addresss_bucket(ask: Ask, owner: User) -> None:
    answers = [ask(x_api_key=UNKNOWN, x_team_id=str(owner.own_team.pk)) for _ in range(61)]
    assert [answer.status_code for answer in answers] == [401] * 60 + [429]
    assert answers[0]["X-RateLimit-Limit"] == "60"
