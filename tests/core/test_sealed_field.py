"""The column: sealed values in, sealed values out, and nothing in the clear."""

from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import connection, models
from django.db.migrations.writer import MigrationWriter

from connections_project.core.vault import Sealed, SealedField, open_sealed, seal
from connections_project.revocation.models import RevocationJob
from tests.core.conftest import DATA, SUBJECT, MakeJob, sealed_of

JOBS = RevocationJob.objects


def test_a_row_gives_back_what_it_was_given(make_job: MakeJob) -> None:
    job = make_job()

    sealed = JOBS.get(pk=job.pk).sealed_tokens

    assert isinstance(sealed, Sealed)
    assert open_sealed(sealed, subject=SUBJECT) == DATA


def test_the_column_holds_the_ciphertext(make_job: MakeJob) -> None:
    job = make_job()

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT sealed_tokens FROM {RevocationJob._meta.db_table}")
        assert cursor.fetchall() == [(sealed_of(job).ciphertext,)]


def test_all_query_forms_know_sealed_values(make_job: MakeJob) -> None:
    first, second = make_job(), make_job()
    fresh = seal(DATA, subject=SUBJECT)

    JOBS.filter(pk=first.pk).update(sealed_tokens=fresh)
    second.sealed_tokens = fresh
    JOBS.bulk_update([second], ["sealed_tokens"])

    assert set(JOBS.values_list("sealed_tokens", flat=True)) == {fresh}
    copies = [RevocationJob(**row) for row in JOBS.values()]
    JOBS.all().delete()
    JOBS.bulk_create(copies)
    assert [row["sealed_tokens"] for row in JOBS.values("sealed_tokens")] == [fresh, fresh]


def test_null_stays_null(make_job: MakeJob) -> None:
    job = make_job()
    JOBS.filter(pk=job.pk).update(sealed_tokens=None, state="revoked", finished_at=job.created_at)

    assert JOBS.get(sealed_tokens__isnull=True).sealed_tokens is None
    assert JOBS.get(sealed_tokens=None).pk == job.pk


def test_a_column_can_be_moved_into_another_unopened(make_job: MakeJob) -> None:
    first, second = make_job(), make_job()
    source = JOBS.filter(pk=first.pk).values("sealed_tokens")

    JOBS.filter(pk=second.pk).update(sealed_tokens=models.Subquery(source))

    assert JOBS.get(pk=second.pk).sealed_tokens == first.sealed_tokens


@pytest.mark.parametrize("value", ["the-access-token", b"bytes", {"access_token": "a"}, 5])
def test_what_is_not_sealed_is_never_stored(make_job: MakeJob, value: Any) -> None:
    job = make_job()

    with pytest.raises(TypeError) as caught:
        JOBS.filter(pk=job.pk).update(sealed_tokens=value)

    assert str(caught.value) == "sealed_tokens takes Sealed values only"


def test_a_row_is_found_by_the_ciphertext_read(make_job: MakeJob) -> None:
    job = make_job()
    make_job()

    assert JOBS.get(sealed_tokens=job.sealed_tokens).pk == job.pk


@pytest.mark.parametrize(
    "lookup", ["contains", "icontains", "startswith", "iexact", "regex", "in", "gt", "range"]
)
def test_nobody_searches_in_ciphertexts(make_job: MakeJob, lookup: str) -> None:
    with pytest.raises(FieldError):
        JOBS.filter(**{f"sealed_tokens__{lookup}": "a"}).exists()


def test_a_migration_can_write_and_make_the_field() -> None:
    field = SealedField(null=True)
    _name, path, args, kwargs = field.deconstruct()

    assert (path, args, kwargs) == (
        "connections_project.core.vault.SealedField",
        [],
        {"null": True, "editable": False},
    )
    assert "connections_project.core.vault.SealedField(" in MigrationWriter.serialize(field)[0]
    assert isinstance(field.clone(), SealedField)


def test_a_form_does_not_offer_it() -> None:
    assert not RevocationJob._meta.get_field("sealed_tokens").editable


@pytest.mark.django_db
def test_a_fixture_carries_the_ciphertext(make_job: MakeJob) -> None:
    job = make_job()

    fixture = serializers.serialize("json", [job])
    loaded = next(iter(serializers.deserialize("json", fixture))).object

    assert isinstance(loaded, RevocationJob)
    assert loaded.sealed_tokens == job.sealed_tokens
