"""What no longer lets anybody in is deleted by a periodic task."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from connections_project.core.periodic import run_due
from connections_project.identity import sessions
from connections_project.identity.models import SessionFamily, User

# Some periodic tasks run in threads of their own.
pytestmark = pytest.mark.django_db(transaction=True)


def test_ended_sign_ins_are_forgotten_and_no_others(owner: User) -> None:
    sessions.begin(owner)
    with time_machine.travel(timezone.now() + timedelta(days=13)):
        run_due()
        assert SessionFamily.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(days=15)):
        run_due()
        assert not SessionFamily.objects.exists()


def test_the_admins_ended_sessions_are_forgotten(operator: User) -> None:
    Client().force_login(operator)
    with time_machine.travel(timezone.now() + timedelta(days=13)):
        run_due()
        assert Session.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(days=15)):
        run_due()
        assert not Session.objects.exists()
