"""`manage.py rotate_credential_keys`."""

import json
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from connections_project.core.vault import Sealed, open_sealed, rotate, seal
from connections_project.management.credential_rotation import Column, Row, columns, rotate_row
from connections_project.revocation.models import RevocationJob
from tests.core.conftest import DATA, SUBJECT, MakeJob, UseKeys, sealed_of

JOBS = RevocationJob.objects
COLUMN = Column(RevocationJob, "sealed_tokens")


@pytest.fixture
def three_jobs(make_job: MakeJob, keys: tuple[str, str], use_keys: UseKeys) -> list[RevocationJob]:
    """Three rows under the old key; then a new one stands in front."""
    jobs = [make_job() for _ in range(3)]
    use_keys(keys[1], keys[0])
    return jobs


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("rotate_credential_keys", *arguments, stdout=output)
    return output.getvalue()


def opened() -> list[dict[str, Any]]:
    return [open_sealed(sealed_of(job), subject=SUBJECT) for job in JOBS.all()]


def test_afterwards_the_old_key_can_go(
    three_jobs: list[RevocationJob], keys: tuple[str, str], use_keys: UseKeys
) -> None:
    assert "3 rotated; 3 under the newest key now" in run()

    use_keys(keys[1])
    assert opened() == [DATA] * 3


@pytest.mark.parametrize("size", ["1", "2", "3", "500"])
def test_each_row_is_met_once_whatever_the_batch(
    three_jobs: list[RevocationJob], size: str
) -> None:
    result = json.loads(run("--json", "--batch-size", size))

    assert result == {"dry_run": False, "rotated": 3, "current": 3, "unreadable": []}


def test_started_again_it_passes_over_what_is_done(three_jobs: list[RevocationJob]) -> None:
    run()
    before = list(JOBS.values_list("sealed_tokens", flat=True))

    assert json.loads(run("--json"))["rotated"] == 0
    assert list(JOBS.values_list("sealed_tokens", flat=True)) == before


def test_a_dry_run_counts_and_changes_nothing(three_jobs: list[RevocationJob]) -> None:
    before = list(JOBS.values_list("sealed_tokens", flat=True))

    assert "3 would be rotated" in run("--dry-run")
    assert list(JOBS.values_list("sealed_tokens", flat=True)) == before


def test_an_unreadable_row_is_named_and_exits_1(
    three_jobs: list[RevocationJob], make_job: MakeJob
) -> None:
    foreign = Sealed(Fernet(Fernet.generate_key()).encrypt(b"the-access-token").decode())
    job = make_job(foreign)
    output = StringIO()

    with pytest.raises(CommandError) as caught:
        call_command("rotate_credential_keys", stdout=output)

    assert caught.value.returncode == 1
    assert f"unreadable: revocation.RevocationJob.sealed_tokens {job.pk}" in output.getvalue()
    assert foreign.ciphertext not in output.getvalue()
    assert "3 rotated" in output.getvalue()
    assert JOBS.get(pk=job.pk).sealed_tokens == foreign


def test_keys_that_read_nothing_are_named_once(
    three_jobs: list[RevocationJob], use_keys: UseKeys
) -> None:
    use_keys(Fernet.generate_key().decode())
    output = StringIO()
    with pytest.raises(CommandError, match="reads any of the 3 stored credentials") as caught:
        call_command("rotate_credential_keys", stdout=output)
    assert caught.value.returncode == 1
    assert output.getvalue() == "0 rotated; 0 under the newest key now\n"


def test_a_token_refreshed_midway_is_not_overwritten(three_jobs: list[RevocationJob]) -> None:
    job = three_jobs[0]
    read = Row(COLUMN, job.pk, sealed_of(job))
    refreshed = seal({"access_token": "fresher"}, subject=SUBJECT)
    JOBS.filter(pk=job.pk).update(sealed_tokens=refreshed)

    assert rotate_row(read, dry_run=False) == "current"
    assert JOBS.get(pk=job.pk).sealed_tokens == refreshed


def test_a_token_refreshed_midway_is_rotated(
    three_jobs: list[RevocationJob], keys: tuple[str, str], use_keys: UseKeys
) -> None:
    job = three_jobs[0]
    read = Row(COLUMN, job.pk, sealed_of(job))
    use_keys(keys[0])
    refreshed = seal({"access_token": "fresher"}, subject=SUBJECT)
    use_keys(keys[1], keys[0])
    JOBS.filter(pk=job.pk).update(sealed_tokens=refreshed)

    assert rotate_row(read, dry_run=False) == "rotated"
    held = sealed_of(job)
    assert rotate(held) is None
    assert open_sealed(held, subject=SUBJECT) == {"access_token": "fresher"}


def test_a_token_erased_meanwhile_does_not_come_back(three_jobs: list[RevocationJob]) -> None:
    job = three_jobs[0]
    read = Row(COLUMN, job.pk, sealed_of(job))
    JOBS.filter(pk=job.pk).update(sealed_tokens=None, state="revoked", finished_at=job.due_at)

    assert rotate_row(read, dry_run=False) == "gone"
    assert JOBS.get(pk=job.pk).sealed_tokens is None


def test_a_moved_ciphertext_is_found_by_the_next_pass(
    three_jobs: list[RevocationJob],
    make_job: MakeJob,
    monkeypatch: pytest.MonkeyPatch,
    keys: tuple[str, str],
    use_keys: UseKeys,
) -> None:
    use_keys(keys[0])
    late = seal(DATA, subject=SUBJECT)
    use_keys(keys[1], keys[0])
    moved = iter([late])

    def rotate_and_move(row: Row, *, dry_run: bool) -> str:
        outcome = rotate_row(row, dry_run=dry_run)
        for sealed in moved:
            # Its key sorts before the rows that are still to come: this pass doesn't see it.
            make_job(sealed, id="00000000-0000-7000-8000-000000000000")
        return outcome

    monkeypatch.setattr(
        "connections_project.management.commands.rotate_credential_keys.rotate_row", rotate_and_move
    )

    assert json.loads(run("--json"))["rotated"] == 4


def test_every_sealed_column_of_every_app_is_rotated() -> None:
    labels = {column.label for column in columns()}

    assert {"revocation.RevocationJob.sealed_tokens", "providers.Connection.auth_state"} <= labels


def test_no_bar_is_drawn_in_a_pipe(
    three_jobs: list[RevocationJob], capsys: pytest.CaptureFixture[str]
) -> None:
    run()

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("size", ["0", "-1", "many"])
def test_a_batch_size_that_is_none_is_wrong_use(size: str) -> None:
    with pytest.raises(CommandError):
        run("--batch-size", size)


def test_the_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        call_command("rotate_credential_keys", "--help")

    assert caught.value.code == 0
    assert "  manage.py rotate_credential_keys --dry-run" in capsys.readouterr().out
