"""A table that is missing is a defect, on either database: 500 in the format of the path."""

import pytest
from django.db import connection
from rest_framework.test import APIClient

from social.models import SocialAccount

pytestmark = pytest.mark.django_db
ID = "01a2121e-1577-711d-b1b3-61979b1c9ecc"
SOCIAL = "/api/v1/plugin/social-media-publisher/social"


def break_table(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} RENAME TO {name}_gone")


def test_a_social_disconnect_says_that_it_failed(api: APIClient) -> None:
    break_table(SocialAccount._meta.db_table)
    answer = api.delete(f"{SOCIAL}/disconnect/{ID}")
    assert answer.status_code == 500
    assert answer.json()["error"] == "Failed to disconnect"


def test_channels_have_their_own_format(api: APIClient) -> None:
    break_table("channel_connections")
    answer = api.delete(f"/api/v1/channels/connections/{ID}")
    assert answer.status_code == 500
    assert answer.json()["errors"][0]["error_code"] == "INTERNAL_ERROR"
