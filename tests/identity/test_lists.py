"""Listing API keys from the shell."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.identity.accounts import create_team
from connections_project.identity.keys import create_key, revoke_key
from connections_project.identity.models import ApiKey, Team, User
from tests.support.listing_commands import listed, run

ORIGIN = Origin(ActorType.OPERATOR, None, Interface.COMMAND)


@pytest.fixture
def press(owner: User, outsider: User) -> Team:
    return create_team(name="Press", emails=["owner@example.com", "outsider@example.com"])


def make_key(team: Team, **more: Any) -> ApiKey:
    return create_key(team=team, scopes=["social:read"], origin=ORIGIN, **more).key


def test_good_keys_are_listed_without_themselves(press: Team, owner: User) -> None:
    made = create_key(team=press, scopes=["social:read"], origin=ORIGIN, name="site")
    other = make_key(owner.own_team)
    assert [one["prefix"] for one in listed("list_api_keys")] == [other.prefix, made.key.prefix]
    assert listed("list_api_keys", "--team", str(press.pk)) == [
        {
            "id": str(made.key.pk),
            "prefix": made.key.prefix,
            "name": "site",
            "team_id": str(press.pk),
            "team_name": "Press",
            "scopes": ["social:read"],
            "created_at": made.key.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "expires_at": None,
            "last_used_at": None,
            "revoked_at": None,
        }
    ]
    assert made.text not in run("list_api_keys")


def test_ended_keys_are_listed_on_demand(press: Team) -> None:
    revoked, expired = make_key(press), make_key(press)
    revoke_key(prefix_or_id=revoked.prefix, origin=ORIGIN)
    ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert listed("list_api_keys") == []
    assert run("list_api_keys") == ""
    found = {one["prefix"] for one in listed("list_api_keys", "--all")}
    assert found == {revoked.prefix, expired.prefix}
    assert "revoked 2" in run("list_api_keys", "--all")
