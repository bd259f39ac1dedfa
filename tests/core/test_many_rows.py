"""Rows that come in one call are stored, however many parameters that takes."""

import pytest
from django.utils import timezone

from connections_project.identity.models import User
from providers.models import Account
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db
MANY = 8_000  # of nine columns each; a statement has 65,535 parameters at most


def test_many_rows_are_created_at_once(owner: User, bank: Bank) -> None:
    now = timezone.now()
    columns = {"connection": connection_of(owner), "created_at": now, "updated_at": now}
    Account.objects.bulk_create(
        Account(platform_account_id=str(number), **columns) for number in range(MANY)
    )
    assert Account.objects.count() == MANY
