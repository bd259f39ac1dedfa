"""What operators see of a schedule."""

import pytest
from django.test import Client

from connections_project.identity.models import User
from tests.support.admin_pages import text_of
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of, schedule_of

pytestmark = pytest.mark.django_db


def test_its_options_are_shown(page: Client, bank: Bank, owner: User) -> None:
    made = schedule_of(channel_of(owner, channel="mastodon"), options={"visibility": "<private>"})
    text = text_of(page, f"/admin/channels/schedule/{made.pk}/change/")
    assert "Options:" in text
    assert "visibility: &lt;private&gt;" in text
