"""A database of a release, with rows in it, becomes one of today, and nothing is lost."""

import pytest
from django.apps import apps
from django.apps.registry import Apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from audit import triggers
from audit.models import AuditEvent
from audit.statements import known_keys
from audit.verify import Verification
from channels.models import ChannelConnection
from connections_project.connections.models import OAuthConnection
from connections_project.core.vault import open_sealed
from connections_project.identity.keys import find_key
from connections_project.identity.models import Authenticator, User
from connections_project.revocation.models import RevocationJob
from providers.models import Connection
from social.models import SocialAccount
from tests.support.provider_rows import TOKENS
from tests.upgrade.release import Release, is_ours, recorded_versions, values_of
from tests.upgrade.rows import PASSWORD

# Sealed and signed values are read with the keys that they were recorded under.
pytestmark = pytest.mark.usefixtures("recorded_keys")

CONNECTION_TYPES: tuple[type[OAuthConnection], ...] = (Connection, ChannelConnection, SocialAccount)


@pytest.fixture(scope="module", params=recorded_versions())
def release(request: pytest.FixtureRequest) -> Release:
    return Release.of(request.param)


@pytest.fixture(scope="module")
def models_then(release: Release, empty_database: None) -> Apps:
    """The models as they were, over a database as that release's migrate left it."""
    executor = MigrationExecutor(connection)
    state = executor.migrate(list(release.migrations.items()))
    # As after each migrate: what comes later must get along with them.
    triggers.install(connection)
    return state.apps


@pytest.fixture(scope="module")
def upgraded(release: Release, models_then: Apps) -> Release:
    release.store(models_then)
    call_command("migrate", verbosity=0)
    return release


def test_every_model_has_recorded_rows(release: Release, models_then: Apps) -> None:
    ours = {app.label for app in apps.get_app_configs() if is_ours(app)}
    models = {model._meta.label for model in models_then.get_models() if _label(model) in ours}

    assert {label for label, rows in release.rows.items() if rows} == models


def _label(model: type) -> str:
    return str(getattr(model, "_meta").app_label)  # noqa: B009 Historical models have no type.


def test_an_upgrade_keeps_every_row(upgraded: Release) -> None:
    """Let a migration that drops or renames on purpose say so here."""
    for label, rows in upgraded.rows.items():
        model = apps.get_model(label)
        found = {str(row.pk): row for row in model._base_manager.all()}
        assert len(found) == len(rows), label
        for expected in (values_of(model, row) for row in rows):
            row = found[str(expected[model._meta.pk.attname])]
            assert {name: getattr(row, name) for name in expected} == expected, label


def test_upgraded_tokens_can_be_opened(upgraded: Release) -> None:
    for model in CONNECTION_TYPES:
        live = model._base_manager.filter(auth_state__isnull=False)
        assert live
        for row in live:
            assert row.opened().as_payload() == TOKENS.as_payload()


def test_upgraded_revocations_can_be_sent(upgraded: Release) -> None:
    jobs = RevocationJob.objects.filter(state="pending").order_by("id")
    opened = [open_sealed(job.sealed_tokens, subject=_subject(job)) for job in jobs]  # type: ignore[arg-type]

    assert [tokens["refresh_token"] for tokens in opened] == ["refresh-1", "refresh-2"]


def _subject(job: RevocationJob) -> str:
    return f"connection:{job.connection_id}"


def test_an_upgraded_audit_log_verifies(upgraded: Release) -> None:
    reading = Verification(keys=known_keys())

    assert list(reading.findings()) == []
    assert reading.events + reading.unsealed == AuditEvent.objects.count() > reading.events > 0
    assert triggers.missing_triggers(connection) == []


def test_people_and_programs_come_in_again(upgraded: Release) -> None:
    owner = User.objects.get(email="owner@example.com")
    device = Authenticator.objects.get(user__email="operator@example.com")

    assert owner.check_password(PASSWORD)
    assert find_key(upgraded.api_key, team_id=owner.own_team.pk).team == owner.own_team
    assert device.sealed_key is not None
    assert len(open_sealed(device.sealed_key, subject=device.vault_subject)["key"]) >= 32
