"""How fast passwords can be guessed: 5 a minute, 20 a minute, 100 an hour."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection

from connections_project.identity.login_attempts import Attempt, TooManyAttemptsError, begin_attempt
from connections_project.identity.models import User
from tests.identity.conftest import EMAIL, PASSWORD, Post
from tests.support.parallel_logins import at_once

HERE = "192.0.2.1"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands, so that no window ends in the midst of a test."""
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        yield clock


def tries(count: int, *, email: str = EMAIL, address: str = HERE) -> list[Attempt]:
    return [begin_attempt(email=email, address=address) for _ in range(count)]


def test_tries_while_the_database_is_away_lock_nobody_out(owner: User, post: Post) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("gone")

    with connection.execute_wrapper(away):
        answers = [post("login", email=EMAIL, password=PASSWORD) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [503] * 8
    assert post("login", email=EMAIL, password=PASSWORD).status_code == 200


def test_the_sixth_wrong_password_is_a_429(owner: User, post: Post) -> None:
    answers = [post("login", email=EMAIL, password="wrong") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert 1 <= int(answers[5].headers["Retry-After"]) <= 60
    assert answers[5].json()["type"].endswith("rate_limit_exceeded")


def test_at_the_limit_the_right_password_fails_too(owner: User, post: Post) -> None:
    for _ in range(5):
        post("login", email=EMAIL, password="wrong")
    assert post("login", email=EMAIL, password=PASSWORD).status_code == 429


def test_after_the_time_it_said_one_more_is_let_in(
    owner: User, post: Post, clock: time_machine.Traveller
) -> None:
    for _ in range(5):
        post("login", email=EMAIL, password="wrong")
    refused = post("login", email=EMAIL, password=PASSWORD)
    clock.shift(int(refused.headers["Retry-After"]) + 1)
    assert post("login", email=EMAIL, password=PASSWORD).status_code == 200


def test_successes_count_nowhere(owner: User, post: Post) -> None:
    answers = [post("login", email=EMAIL, password=PASSWORD) for _ in range(25)]
    assert {answer.status_code for answer in answers} == {200}
    answers = [post("login", email=EMAIL, password="wrong") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]


def test_an_address_may_fail_20_times_a_minute() -> None:
    for number in range(20):
        tries(1, email=f"{number}@example.com")
    with pytest.raises(TooManyAttemptsError):
        tries(1, email="another@example.com")
    tries(1, email="another@example.com", address="192.0.2.2")


def test_an_e_mail_may_fail_100_times_an_hour() -> None:
    for number in range(100):
        tries(1, address=f"198.51.100.{number}")
    with pytest.raises(TooManyAttemptsError) as refusal:
        tries(1, address="203.0.113.1")
    assert 1 <= refusal.value.retry_after <= 3600
    tries(1, email="another@example.com", address="203.0.113.1")


def test_an_attacker_does_not_lock_the_owner_out() -> None:
    tries(5)
    for _ in range(200):
        with pytest.raises(TooManyAttemptsError):
            tries(1)
    tries(1, address="203.0.113.1")


def test_the_case_of_an_e_mail_opens_no_second_count() -> None:
    tries(5)
    with pytest.raises(TooManyAttemptsError):
        tries(1, email=EMAIL.upper())


def test_one_ipv6_network_counts_as_one_address() -> None:
    for number in range(20):
        tries(1, email=f"{number}@example.com", address=f"2001:db8::{number + 1:x}")
    with pytest.raises(TooManyAttemptsError):
        tries(1, address="2001:db8::ffff")
    tries(1, address="2001:db8:0:1::1")


def test_a_limited_attempt_reads_no_table(
    owner: User, post: Post, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        post("login", email=EMAIL, password="wrong")
    with django_assert_num_queries(0):
        post("login", email=EMAIL, password="wrong")


@pytest.mark.races
def test_parallel_guesses_get_no_more_than_five(
    transactional_db: None,
) -> None:
    User.objects.create_user(EMAIL, PASSWORD)
    answers = at_once([("login", {"email": EMAIL, "password": "wrong"})] * 16)
    statuses = [answer.status_code for answer in answers]
    # Beyond the threads that may hash at a time it is a 503 at once.
    assert statuses.count(401) <= 5
    assert set(statuses) <= {401, 429, 503}


@pytest.mark.usefixtures("still_buckets")
def test_refused_tokens_draw_on_a_bucket_of_their_own(post: Post, whoami: Any) -> None:
    answers = [
        post(call, refresh_token="made up") for _ in range(31) for call in ("refresh", "logout")
    ]
    assert [answer.status_code for answer in answers] == [401] * 60 + [429] * 2
    assert answers[0].headers["X-RateLimit-Remaining"] == "59"
    assert answers[-1].headers["Retry-After"] == "1"
    assert answers[-1].json()["type"].endswith("rate_limit_exceeded")
    assert whoami("made up").status_code == 401


@pytest.mark.usefixtures("still_buckets")
def test_a_bucket_that_is_empty_refuses_no_good_token(owner: User, post: Post) -> None:
    token = post("login", email=EMAIL, password=PASSWORD).json()["refresh_token"]
    for _ in range(61):
        post("refresh", refresh_token="made up")
    assert post("refresh", refresh_token=token).status_code == 200
