"""Two who make an account of one address at the same moment."""

import time
from contextlib import ExitStack
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from connections_project.identity.accounts import create_principal
from connections_project.identity.models import User
from tests.conftest import PASSWORD
from tests.races.conftest import PATIENCE, meanwhile

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


def test_the_second_one_is_told_that_it_is_taken() -> None:
    create = partial(create_principal, email="kim@example.com", password=PASSWORD)
    with ExitStack() as stack:
        with transaction.atomic():
            User.objects.create_user("kim@example.com", PASSWORD)
            creating = stack.enter_context(meanwhile(create))
            time.sleep(0.5)
        with pytest.raises(ValidationError, match="already exists"):
            creating.result(PATIENCE)
