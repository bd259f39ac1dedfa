"""Teams' API keys: what is stored of one, and from the shell."""

import hashlib
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import AuditEvent
from connections_project.identity.keys import InvalidKeyRequestError, create_key
from connections_project.identity.models import ApiKey, Team, User
from connections_project.identity.origins import command_origin

pytestmark = pytest.mark.django_db

ORIGIN = command_origin(None)


def run(*words: str) -> tuple[str, str]:
    """Run a command, and give what it prints to standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    call_command(*words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def made(team: Team, *more: str) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads(
        run(
            "create_api_key", str(team.pk), "--scopes", "social:write,social:read", "--json", *more
        )[0]
    )
    return recorded


def test_only_a_keys_prefix_and_hash_are_stored(owner: User) -> None:
    new = create_key(team=owner.own_team, scopes=["social:read"], origin=ORIGIN, created_by=owner)
    key = ApiKey.objects.get()
    secret = new.text.removeprefix(f"{key.prefix}_")
    assert len(secret) == 43  # 256 bits in base64
    assert key.secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    stored = ApiKey.objects.values().get()
    assert secret not in str(stored) + str(list(AuditEvent.objects.values())) + repr(new) + str(key)


def test_no_two_keys_are_alike(owner: User) -> None:
    texts = {
        create_key(team=owner.own_team, scopes=["social:read"], origin=ORIGIN).text
        for _ in range(5)
    }
    assert len(texts) == len({text[:20] for text in texts}) == 5


@pytest.mark.parametrize(
    ("scopes", "more", "complaint"),
    [
        ([], {}, "at least one"),
        (["social:read", "social:everything"], {}, "social:everything"),
        (["social:read"], {"name": "x" * 101}, "100"),
        (["social:read"], {"name": "a\nb"}, "one line"),
        (["social:read"], {"expires_at": timezone.now()}, "time to come"),
    ],
)
def test_what_cannot_be_a_key_is_not_made(
    owner: User, scopes: list[str], more: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(InvalidKeyRequestError, match=complaint):
        create_key(team=owner.own_team, scopes=scopes, origin=ORIGIN, **more)
    assert not ApiKey.objects.exists()


def test_the_command_prints_the_key_alone_and_once(owner: User) -> None:
    out, err = run("create_api_key", str(owner.own_team.pk), "--scopes", "social:read")
    key = ApiKey.objects.get()
    assert out == f"{out.strip()}\n"
    assert out.startswith(f"{key.prefix}_")
    assert out.strip() not in err
    assert "can't be shown again" in err


def test_the_command_prints_json(owner: User) -> None:
    ends = "2099-01-01T00:00:00Z"
    recorded = made(owner.own_team, "--expires-at", ends, "--name", "Planner")
    key = ApiKey.objects.get()
    assert recorded == {
        "id": str(key.pk),
        "key": recorded["key"],
        "prefix": key.prefix,
        "name": "Planner",
        "team_id": str(owner.own_team.pk),
        "scopes": ["social:read", "social:write"],
        "expires_at": ends,
    }
    assert recorded["key"].startswith(key.prefix)


@pytest.mark.parametrize("text", ["2099-01-01", "2099-01-01T00:00", "2099-01-01T02:00:00+02:00"])
def test_an_end_is_utc_unless_it_has_a_zone(owner: User, text: str) -> None:
    assert made(owner.own_team, "--expires-at", text)["expires_at"] == "2099-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("words", "returncode", "complaint"),
    [
        (["00000000-0000-7000-8000-000000000000", "--scopes", "social:read"], 1, "no such team"),
        # Argparse's own complaints: raised with 1 from inside, ended with 2 from the shell.
        (["no id", "--scopes", "social:read"], 1, "a team's id"),
        (["TEAM", "--scopes", "social:read", "--expires-at", "soon"], 1, "is not a date or a time"),
        (["TEAM", "--scopes", "social:reed"], 2, "social:reed"),
        (["TEAM", "--scopes", ","], 2, "at least one"),
        (["TEAM", "--scopes", "social:read", "--expires-at", "2020-01-01"], 2, "time to come"),
    ],
)
def test_wrong_use_is_said_and_makes_nothing(
    owner: User, words: list[str], returncode: int, complaint: str
) -> None:
    words = [str(owner.own_team.pk) if word == "TEAM" else word for word in words]
    with pytest.raises(CommandError, match=complaint) as refusal:
        run("create_api_key", *words)
    assert refusal.value.returncode == returncode
    assert not ApiKey.objects.exists()


def test_making_and_revoking_are_audited(owner: User) -> None:
    recorded = made(owner.own_team)
    run("revoke_api_key", recorded["prefix"], "--reason", "leaked")
    created, revoked = AuditEvent.objects.order_by("id")
    assert (created.action, revoked.action) == ("api_key_created", "api_key_revoked")
    for event in (created, revoked):
        assert (event.subject_type, str(event.subject_id)) == ("api_key", recorded["id"])
        assert event.subject_owner_id == owner.own_team.pk
        assert (event.actor_type, event.interface) == ("operator", "command")
        assert event.details["prefix"] == recorded["prefix"]
        assert recorded["key"] not in str(event.details)
    assert revoked.reason == "leaked"


@pytest.mark.parametrize("name", ["id", "prefix", "key"])
def test_a_key_is_revoked_once_by_any_of_its_names(owner: User, name: str) -> None:
    recorded = made(owner.own_team)
    first = json.loads(run("revoke_api_key", recorded[name], "--json")[0])
    again = json.loads(run("revoke_api_key", recorded[name], "--json")[0])
    assert first == again
    assert first["revoked_at"] is not None
    assert AuditEvent.objects.filter(action="api_key_revoked").count() == 1


def test_an_unknown_key_cannot_be_revoked(owner: User) -> None:
    with pytest.raises(CommandError, match="no such key"):
        run("revoke_api_key", "cnx_0000000000000000")


def test_a_key_outlives_its_maker_but_not_its_team(owner: User, outsider: User) -> None:
    create_key(team=owner.own_team, scopes=["social:read"], origin=ORIGIN, created_by=outsider)
    outsider.delete()
    assert ApiKey.objects.get().created_by is None
    assert ApiKey.objects.get().is_good(now=timezone.now() + timedelta(days=3650))
