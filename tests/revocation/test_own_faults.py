"""What keeps a revocation from being sent is ours to correct, so it must be logged and kept."""

import logging
from collections.abc import Callable

import pytest
from django.conf import LazySettings

from connections_project.core.vault import Sealed, seal
from connections_project.identity.models import User
from connections_project.oauth.errors import PlatformError
from connections_project.platforms import client
from connections_project.revocation.models import Circuit, ProbeCircuit, RevocationJob
from tests.revocation.conftest import EndOf, make_due, processed
from tests.support.bank import Bank
from tests.support.platform_server import Answer
from tests.support.provider_rows import connection_of
from tests.support.revocation_jobs import make_jobs

UseCatalogue = Callable[..., None]


def levels(caplog: pytest.LogCaptureFixture) -> list[int]:
    return [one.levelno for one in caplog.records if "Revoking" in one.message]


def assert_kept(job: RevocationJob, error: str) -> None:
    sealed = job.sealed_tokens
    job.refresh_from_db()
    assert (job.state, job.last_error) == ("pending", error)
    assert job.sealed_tokens == sealed is not None


def test_wrong_credentials_alarm_and_keep_the_job(
    job: RevocationJob, bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    bank.server.on("POST", "/revoke", Answer(401, json={"error": "invalid_client"}), Answer(200))
    assert processed() == ["pending"]
    assert_kept(job, "invalid_client")
    assert levels(caplog) == [logging.ERROR]
    make_due(job)
    assert processed() == ["revoked"]


def test_missing_credentials_raise_the_same_alarm(
    job: RevocationJob, bank: Bank, use_catalogue: UseCatalogue, caplog: pytest.LogCaptureFixture
) -> None:
    use_catalogue(bank.catalogue())
    assert processed() == ["pending"]
    assert_kept(job, "invalid_client")
    assert levels(caplog) == [logging.ERROR]
    assert bank.revoked == []


def test_a_removed_platform_may_come_back(
    job: RevocationJob, bank: Bank, use_catalogue: UseCatalogue
) -> None:
    use_catalogue("")
    assert processed() == ["pending"]
    assert_kept(job, "unsupported")
    use_catalogue(bank.catalogue(), "bank")
    make_due(job)
    assert processed() == ["revoked"]


def test_a_key_that_is_missing_may_come_back(
    job: RevocationJob, bank: Bank, settings: LazySettings
) -> None:
    keys = settings.CREDENTIAL_KEYS
    settings.CREDENTIAL_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]
    assert processed() == ["pending"]
    assert_kept(job, "unreadable_token")
    settings.CREDENTIAL_KEYS = keys
    make_due(job)
    assert processed() == ["revoked"]


def test_another_connections_ciphertext_is_not_sent(job: RevocationJob, bank: Bank) -> None:
    foreign = seal({"access_token": "theirs", "refresh_token": None}, subject="connection:other")
    RevocationJob.objects.update(sealed_tokens=foreign)
    assert processed() == ["pending"]
    assert bank.revoked == []


def test_one_unreadable_job_holds_up_no_other(
    job: RevocationJob, owner: User, bank: Bank, end: EndOf
) -> None:
    RevocationJob.objects.update(sealed_tokens=Sealed("garbled"))
    end(connection_of(owner, account_id="another"))
    assert processed() == ["pending", "revoked"]


def test_an_unforeseen_adapter_error_ends_no_pass(
    job: RevocationJob,
    owner: User,
    bank: Bank,
    use_catalogue: UseCatalogue,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = bank.catalogue("broken").replace('"rfc7009"', '"adapter"')
    adapter = 'adapter = "tests.support.broken_adapter"\n[providers.broken.revocation]'
    use_catalogue(
        bank.catalogue() + broken.replace("[providers.broken.revocation]", adapter),
        "bank",
        "broken",
    )
    (theirs,) = make_jobs("broken", "refresh-theirs", ago=60)
    assert processed() == ["pending", "revoked"]
    assert_kept(theirs, "unforeseen")
    assert Circuit.objects.get(platform="broken").faults == 1
    assert "KeyError in " in caplog.text
    assert "refresh-theirs" not in caplog.text


@pytest.mark.parametrize("call", ["revoke", "is_alive"])
def test_a_process_without_files_blames_nobody(
    job: RevocationJob,
    bank: Bank,
    use_catalogue: UseCatalogue,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
) -> None:
    use_catalogue(bank.catalogue(revocation='verify = "identity"'), "bank")
    bank.server.on("GET", "/me", Answer(401, json={"error": "invalid_token"}))

    def fail(*_: object, **__: object) -> None:
        raise PlatformError("no_files", platform="bank")

    with monkeypatch.context() as patch:
        patch.setattr(client, call, fail)
        assert processed() == ["pending"]
    assert_kept(job, "no_files")
    faults = [*Circuit.objects.values_list("faults"), *ProbeCircuit.objects.values_list("faults")]
    assert {count for (count,) in faults} <= {0}
    make_due(job)
    assert processed() == ["revoked"]
    job.refresh_from_db()
    assert job.verification == "verified_dead"
