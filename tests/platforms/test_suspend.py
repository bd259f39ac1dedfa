"""`manage.py suspend_platform` and `resume_platform` (docs/operating.md)."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from connections_project.platforms.models import Suspension
from connections_project.platforms.registry import (
    PlatformUnavailableError,
    connectable,
    is_suspended,
    usable,
)
from tests.conftest import UseCatalogue
from tests.support.bank import Bank

pytestmark = pytest.mark.django_db


def run(command: str, slug: str = "bank", *arguments: str, **options: str) -> str:
    out = StringIO()
    call_command(command, slug, *arguments, stdout=out, **options)
    return out.getvalue().strip()


def refusal(command: str, slug: str = "bank", **options: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        run(command, slug, **options)
    return caught.value


def test_suspended_means_not_connectable_nor_usable(bank: Bank) -> None:
    assert run("suspend_platform", reason="breach") == "bank is suspended."
    assert is_suspended("bank")
    with pytest.raises(PlatformUnavailableError):
        connectable("providers", "bank")
    with pytest.raises(PlatformUnavailableError):
        usable("bank")


def test_a_resumed_platform_is_in_use_again(bank: Bank) -> None:
    told = run("suspend_platform", "bank", "--json", reason="breach")
    assert json.loads(told) == {"platform": "bank", "suspended": True, "changed": True}
    assert run("resume_platform") == "bank is in use again."
    told = run("resume_platform", "bank", "--json")
    assert json.loads(told) == {"platform": "bank", "suspended": False, "changed": False}
    assert usable("bank") == connectable("providers", "bank")


def test_other_platforms_go_on(bank: Bank, use_catalogue: UseCatalogue) -> None:
    use_catalogue(bank.catalogue() + bank.catalogue("other"), "bank", "other")
    run("suspend_platform", reason="breach")
    assert usable("other").platform.slug == "other"


def test_both_are_audited_once_with_their_reason(bank: Bank) -> None:
    run("suspend_platform", reason=" breach ")
    assert run("suspend_platform", reason="again") == "bank was suspended already."
    run("resume_platform", reason="over")
    assert run("resume_platform") == "bank was not suspended."
    rows = AuditEvent.objects.order_by("id").values_list("action", "reason", "details")
    assert list(rows) == [
        ("platform_suspended", "breach", {"platform": "bank"}),
        ("platform_resumed", "over", {"platform": "bank"}),
    ]
    origins = AuditEvent.objects.values_list("actor_type", "interface", "subject_type")
    assert set(origins) == {("operator", "command", "platform")}


def test_a_suspended_platform_keeps_its_first_reason(bank: Bank) -> None:
    run("suspend_platform", reason="breach")
    run("suspend_platform", reason="another")
    assert Suspension.objects.get().reason == "breach"


@pytest.mark.parametrize("command", ["suspend_platform", "resume_platform"])
def test_an_unknown_platform_is_wrong_use(bank: Bank, command: str) -> None:
    error = refusal(command, "bnak", reason="breach")
    assert (error.returncode, str(error)) == (2, "The catalogue has no platform 'bnak'.")
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("reason", ["", "  ", "x" * 513])
def test_a_reason_has_1_to_512_characters(bank: Bank, reason: str) -> None:
    assert refusal("suspend_platform", reason=reason).returncode == 2
    assert not is_suspended("bank")


def test_an_unstorable_reason_resumes_nothing(bank: Bank) -> None:
    run("suspend_platform", reason="x" * 512)
    assert refusal("resume_platform", reason="x" * 513).returncode == 2
    assert is_suspended("bank")


def test_a_removed_platform_can_be_resumed(bank: Bank, use_catalogue: UseCatalogue) -> None:
    run("suspend_platform", reason="breach")
    use_catalogue("", "nobody")
    assert run("resume_platform") == "bank is in use again."
    assert not Suspension.objects.exists()
