"""How many statements a grant may take, whatever number of accounts it is for."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from connections_project.revocation.models import GrantHold
from social.models import SocialAccount
from tests.conftest import UseCatalogue
from tests.support.gallery import Gallery, call_back, start

pytestmark = pytest.mark.usefixtures("unlimited")

# SQLite takes 999 parameters a statement, so that many rows are several of them.
FEW = 24
MORE_FOR_100 = 12


def statements(api: APIClient) -> int:
    state = start(api)
    with CaptureQueriesContext(connection) as captured:
        assert call_back(api, state).status_code == 201
    return len(captured)


@pytest.mark.parametrize("token", ["access_token", ""])
@pytest.mark.parametrize("times", ["the first time", "again"])
def test_connecting_a_hundred_costs_like_one(
    api: APIClient, gallery: Gallery, use_catalogue: UseCatalogue, token: str, times: str
) -> None:
    use_catalogue(gallery.catalogue(token=token), "gallery")
    counts = []
    for size in (1, 100):
        gallery.accounts = [f"{size}-{number}" for number in range(size)]
        if times == "again":
            statements(api)
        counts.append(statements(api))
    assert counts[0] <= FEW
    assert counts[1] <= FEW + MORE_FOR_100
    assert SocialAccount.objects.count() == GrantHold.objects.count() == 101


def test_who_granted_may_be_unknown(api: APIClient, gallery: Gallery, use_catalogue: Any) -> None:
    """Then each account stands for a grant of its own, as far as anybody knows."""
    use_catalogue(gallery.catalogue().replace("identity_endpoint", "# "), "gallery")
    gallery.accounts = ["7", "8"]
    assert call_back(api, start(api)).status_code == 201
    holders = GrantHold.objects.values_list("platform_user_id", flat=True)
    assert sorted(holders) == ["7", "8"]
