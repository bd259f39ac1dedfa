"""Refreshing and logging out with the same token at the same time."""

import pytest

from connections_project.identity.models import User
from tests.identity.conftest import EMAIL, PASSWORD, Post
from tests.support.parallel_logins import at_once

pytestmark = pytest.mark.races


@pytest.fixture
def token(transactional_db: None, post: Post) -> str:
    User.objects.create_user(EMAIL, PASSWORD)
    return str(post("login", email=EMAIL, password=PASSWORD).json()["refresh_token"])


def test_one_exchange_wins_and_the_family_is_dead(token: str, post: Post) -> None:
    answers = at_once([("refresh", {"refresh_token": token})] * 8)
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    winner = next(answer for answer in answers if answer.status_code == 200)
    again = post("refresh", refresh_token=winner.json()["refresh_token"])
    assert again.status_code == 401


def test_an_exchange_during_a_logout_revives_nothing(token: str, post: Post) -> None:
    body = {"refresh_token": token}
    refreshed, logged_out = at_once([("refresh", body), ("logout", body)])
    assert logged_out.status_code == 204
    assert refreshed.status_code in {200, 401}
    if refreshed.status_code == 200:
        token = refreshed.json()["refresh_token"]
    assert post("refresh", refresh_token=token).status_code == 401
