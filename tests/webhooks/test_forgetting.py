"""Handled notices are kept as long as their like is taken, and no longer."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.webhooks.models import HandledNotice
from connections_project.webhooks.notices import forget_old_notices
from tests.support.meta_webhooks import send
from tests.support.webhook_signing import signed_request

pytestmark = pytest.mark.django_db


def test_a_notice_is_kept_while_it_would_be_taken(anonymous: APIClient, sent_by: Any) -> None:
    sent_by("meta")
    text = signed_request()
    send(anonymous, text)

    with time_machine.travel(timezone.now() + timedelta(days=7) - timedelta(seconds=10)):
        forget_old_notices()
        assert HandledNotice.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=6)):
        forget_old_notices()
        assert not HandledNotice.objects.exists()
        assert send(anonymous, text).status_code == 400
