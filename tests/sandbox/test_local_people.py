"""The people of development can sign in, whatever was tried with them."""

import pytest

from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.operations.offboarding import deactivate
from connections_project.sandbox.local.people import LOGINS, USER, make_ready

pytestmark = pytest.mark.django_db


def test_who_was_deactivated_is_let_in_again() -> None:
    make_ready()
    person = User.objects.get(email=USER.email)
    deactivate(person, reason="left the company", origin=command_origin(None))
    make_ready()
    assert User.objects.filter(is_active=True).count() == len(LOGINS)
    assert User.objects.get(pk=person.pk).check_password(USER.password)
