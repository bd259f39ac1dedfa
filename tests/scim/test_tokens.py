"""SCIM tokens from the shell: made, listed, revoked."""

import hashlib
import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from connections_project.scim.models import ScimToken
from tests.scim.conftest import Directory
from tests.support.issuer import TestIssuer

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_a_token_is_shown_once(issuer: TestIssuer) -> None:
    text = run("create_scim_token", "hr", "--issuer", "main").strip()
    assert Directory(text).get("/Users").status_code == 200
    token = ScimToken.objects.get()
    secret = text.removeprefix(f"{token.prefix}_")
    assert token.secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    listed = run("list_scim_tokens")
    assert "hr" in listed
    assert issuer.url in listed
    stored = str(ScimToken.objects.values().get()) + str(list(AuditEvent.objects.values()))
    assert secret not in stored + listed
    assert json.loads(run("list_scim_tokens", "--json"))["last_used_at"]


def test_one_that_could_not_be_shown_is_none(issuer: TestIssuer) -> None:
    with open("/dev/full", "w") as stdout, pytest.raises(CommandError, match="Nothing was made"):
        call_command("create_scim_token", "hr", "--issuer", "main", stdout=stdout)
    assert not ScimToken.objects.exists()


def test_a_revoked_token_opens_nothing(issuer: TestIssuer) -> None:
    made: dict[str, Any] = json.loads(run("create_scim_token", "hr", "--issuer", "main", "--json"))
    told = json.loads(run("revoke_scim_token", "hr", "--json"))
    assert told == {"name": "hr", "prefix": ScimToken.objects.get().prefix}
    assert Directory(made["token"]).get("/Users").status_code == 401
    assert run("list_scim_tokens") == ""
    assert "revoked" in run("list_scim_tokens", "--all")
    with pytest.raises(CommandError, match="no such token"):
        run("revoke_scim_token", "hr")
    assert [one.action for one in AuditEvent.objects.order_by("id")] == [
        "scim_token_created",
        "scim_token_revoked",
    ]
    run("create_scim_token", "hr", "--issuer", "main")


@pytest.mark.parametrize(
    ("name", "issuer_table", "complaint"),
    [("hr", "other", r"issuers\.other"), ("", "main", "name"), ("a\nb", "main", "name"),
     ("taken", "main", "of that name")],
)  # fmt: skip
def test_what_can_be_no_token_is_refused(
    issuer: TestIssuer, name: str, issuer_table: str, complaint: str
) -> None:
    run("create_scim_token", "taken", "--issuer", "main")
    with pytest.raises(CommandError, match=complaint):
        run("create_scim_token", name, "--issuer", issuer_table)
    assert ScimToken.objects.count() == 1
