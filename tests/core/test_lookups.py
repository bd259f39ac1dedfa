"""`any_of` finds what `in` finds, and PostgreSQL gets one parameter for all."""

import pytest
from django.db import connection

from connections_project.core.ids import uuid7
from connections_project.revocation.models import RevocationJob
from tests.support.revocation_jobs import make_jobs

pytestmark = pytest.mark.django_db


def test_it_finds_what_in_finds() -> None:
    ids = [job.pk for job in make_jobs("bank", "1", "2", "3")]
    for wanted in (ids[:2], [*ids, uuid7()], {ids[0]}, [ids[1]] * 3, []):
        found = RevocationJob.objects.filter(pk__any_of=wanted)
        assert set(found) == set(RevocationJob.objects.filter(pk__in=wanted))
    assert RevocationJob.objects.exclude(pk__any_of=ids[:1]).count() == 2


def test_many_are_one_parameter() -> None:
    wanted = [uuid7() for _ in range(1000)]
    _, parameters = RevocationJob.objects.filter(pk__any_of=wanted).query.sql_with_params()
    assert len(parameters) == (1 if connection.vendor == "postgresql" else 1000)
