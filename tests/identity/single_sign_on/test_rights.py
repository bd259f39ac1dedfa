"""What an operator may do follows the groups of the provider, at each sign-in."""

import time
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest
from django.conf import LazySettings
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from connections_project.identity import provisioning, sessions
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.identity.single_sign_on import rights
from connections_project.operations.offboarding import end_access
from tests.identity.single_sign_on.conftest import Provider, later, sign_in


def may(permission: str) -> bool:
    return User.objects.get(subject="kim").has_perm(permission)


def test_groups_say_what_one_may(client: Client, provider: Provider) -> None:
    sign_in(client, provider, groups=["audit"])
    assert may("audit.view_auditevent")
    assert not may("providers.force_disconnect_connection")
    sign_in(Client(), provider, groups=["audit", "ops"])
    assert may("providers.force_disconnect_connection")
    sign_in(Client(), provider, groups=["audit"])
    assert not may("providers.force_disconnect_connection")
    changes = AuditEvent.objects.filter(action="user_changed").order_by("id")
    assert [one.details["group"] for one in changes] == ["Auditors", "Operators", "Auditors"]


@pytest.mark.parametrize("groups", [None, [], ["staff"], "ops", {"ops": True}, ["OPS"], [["ops"]]])
def test_without_a_group_of_ours_nobody_comes_in(
    client: Client, provider: Provider, groups: Any
) -> None:
    answer = sign_in(client, provider, groups=groups)
    assert answer.status_code == 403
    assert b"You are not allowed to do this" in answer.content
    assert client.get("/admin/").status_code == 302
    assert not User.objects.exists()


def test_who_leaves_the_groups_loses_what_there_was(client: Client, provider: Provider) -> None:
    sign_in(client, provider)
    User.objects.update(is_superuser=True)
    assert client.get("/admin/").status_code == 200
    assert sign_in(Client(), provider, groups=["staff"]).status_code == 403
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.groups.count()) == (False, False, 0)
    # The session that was open before, too.
    assert client.get("/admin/").status_code == 302


def test_open_sessions_have_the_new_rights(client: Client, provider: Provider) -> None:
    sign_in(client, provider)
    assert client.get("/admin/identity/apikey/add/").status_code == 200
    sign_in(Client(), provider, groups=["audit"])
    assert client.get("/admin/identity/apikey/add/").status_code == 403


@pytest.mark.parametrize("amr", [None, "mfa", ["pwd"], {"mfa": 1}])
def test_a_weak_sign_in_is_refused(
    client: Client, provider: Provider, settings: LazySettings, amr: Any
) -> None:
    assert settings.ADMIN_OIDC is not None
    settings.ADMIN_OIDC = replace(settings.ADMIN_OIDC, required_amr="mfa")
    assert sign_in(client, provider, amr=amr).status_code == 403
    assert not User.objects.exists()
    assert sign_in(client, provider, amr=["pwd", "mfa"]).status_code == 302


def test_a_weak_sign_in_takes_rights_all_the_same(
    client: Client, provider: Provider, settings: LazySettings
) -> None:
    sign_in(client, provider)
    assert settings.ADMIN_OIDC is not None
    settings.ADMIN_OIDC = replace(settings.ADMIN_OIDC, required_amr="mfa")
    assert sign_in(Client(), provider, groups=["staff"], amr=["pwd"]).status_code == 403
    assert client.get("/admin/").status_code == 302


def test_groups_may_stand_in_userinfo_alone(client: Client, provider: Provider) -> None:
    provider.userinfo = {"sub": "kim", "groups": ["ops"]}
    assert sign_in(client, provider, groups=None).status_code == 302
    provider.userinfo = {"sub": "lee", "groups": ["ops"]}
    assert sign_in(Client(), provider, groups=None).status_code == 403


def test_a_deactivated_operator_stays_out(client: Client, provider: Provider) -> None:
    sign_in(client, provider)
    end_access(User.objects.get(), reason="left", origin=command_origin(None), details=None)
    assert client.get("/admin/").status_code == 302
    assert sign_in(Client(), provider, iat=later()).status_code == 403


def test_ended_sessions_end_these_too(client: Client, provider: Provider) -> None:
    sign_in(client, provider)
    user = User.objects.get()
    sessions.end_all(user, until=timezone.now(), origin=command_origin(None), reason="stolen")
    assert client.get("/admin/").status_code == 302


def test_ended_sessions_refuse_a_provider_ahead(client: Client, provider: Provider) -> None:
    before = time.time() + 8
    assert sign_in(client, provider, iat=before).status_code == 302
    user = User.objects.get()
    sessions.end_all(user, until=timezone.now(), origin=command_origin(None), reason="stolen")
    assert sign_in(Client(), provider, iat=before).status_code == 403
    assert sign_in(Client(), provider, iat=time.time() + 8).status_code == 302


def test_a_service_is_no_operator(client: Client, provider: Provider) -> None:
    User.objects.create(
        issuer=provider.issuer.url, subject="kim", email=None, principal_type="service"
    )
    assert sign_in(client, provider).status_code == 403


def test_whom_another_call_makes_meanwhile_comes_in(
    client: Client, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = provisioning.provision_by_directory

    def beside(**whom: Any) -> User:
        make(**whom)
        return make(**whom)

    monkeypatch.setattr(rights, "provision_by_directory", beside)
    assert sign_in(client, provider).status_code == 302
    assert AuditEvent.objects.filter(action="user_provisioned").count() == 1


@pytest.mark.parametrize("error", [None, IntegrityError])
def test_whoever_is_forgotten_at_this_moment_is_refused(
    client: Client,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception] | None,
) -> None:
    monkeypatch.setattr(rights, "provision_by_directory", Mock(side_effect=error))
    assert sign_in(client, provider).status_code == 403
    assert AuditEvent.objects.get(action="login_failed").reason == "sessions_ended"
