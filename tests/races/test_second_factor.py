"""A code of the authenticator is good once, also for two who use it in the same moment."""

from base64 import b32decode

import pytest
from django.db import transaction
from django_otp.oath import totp

from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.identity.second_factor import enrol, refusal
from tests.conftest import PASSWORD
from tests.races.conftest import at_once

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("kind", ["of the app", "to recover"])
def test_of_many_who_use_a_code_at_once_one_gets_in(kind: str) -> None:
    user = User.objects.create_superuser("operator@example.com", PASSWORD)
    with transaction.atomic():
        enrolled = enrol(user)
    of_the_app = f"{totp(b32decode(enrolled.secret)):06}"
    code = of_the_app if kind == "of the app" else enrolled.recovery_codes[0]
    origin = command_origin(user)
    answers = at_once([lambda: refusal(User.objects.get(pk=user.pk), code, origin=origin)] * 6)
    assert sorted(answers) == ["", *["wrong_code"] * 5]
