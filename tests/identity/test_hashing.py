"""Passwords are hashed by argon2, by few threads at a time, and successes have an end too."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.db import connection
from django.test import Client

from connections_project import settings as production
from connections_project.identity import hashing
from connections_project.identity.hashing import (
    HashingBusyError,
    PasswordHasher,
    hashing_slot,
    sign_in_place,
)
from connections_project.identity.models import User
from tests.identity.conftest import EMAIL, PASSWORD, Post


@pytest.fixture
def argon2(settings: LazySettings) -> None:
    settings.PASSWORD_HASHERS = production.PASSWORD_HASHERS


def test_a_hash_takes_19_mib_twice_over() -> None:
    hasher = PasswordHasher()
    encoded = hasher.encode(PASSWORD, hasher.salt())
    assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_an_old_hash_is_renewed_at_the_sign_in(argon2: None, owner: User, post: Post) -> None:
    hasher = PBKDF2PasswordHasher()
    User.objects.update(password=hasher.encode(PASSWORD, hasher.salt(), iterations=1000))
    assert post("login", email=EMAIL, password="wrong").status_code == 401
    owner.refresh_from_db()
    assert owner.password.startswith("pbkdf2_sha256$1000$")
    tokens = post("login", email=EMAIL, password=PASSWORD).json()
    owner.refresh_from_db()
    assert owner.password.startswith("argon2$argon2id$")
    assert post("refresh", refresh_token=tokens["refresh_token"]).status_code == 200
    before = owner.password
    assert post("login", email=EMAIL, password=PASSWORD).status_code == 200
    owner.refresh_from_db()
    assert owner.password == before


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_two_sign_ins_renew_it_once(argon2: None) -> None:
    User.objects.create_user(EMAIL, PASSWORD)
    hasher = PBKDF2PasswordHasher()
    User.objects.update(password=hasher.encode(PASSWORD, hasher.salt(), iterations=1000))

    def sign_in(_: int) -> Any:
        try:
            body = {"email": EMAIL, "password": PASSWORD}
            return Client().post("/api/v1/auth/login", body, content_type="application/json")
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(sign_in, range(3)))
    assert [answer.status_code for answer in answers] == [200] * 3
    for answer in answers:
        body = {"refresh_token": answer.json()["refresh_token"]}
        again = Client().post("/api/v1/auth/refresh", body, content_type="application/json")
        assert again.status_code == 200


@pytest.fixture
def busy(settings: LazySettings) -> Any:
    """As many sign in as may."""
    settings.PASSWORD_HASHING_THREADS = 1
    hashing._bounds.cache_clear()
    with ExitStack() as taken:
        for _ in range(1 + hashing.WAITING_PER_THREAD):
            taken.enter_context(sign_in_place())
        yield
    hashing._bounds.cache_clear()


PAGES: list[tuple[str, dict[str, str], str]] = [
    ("/sign-in", {"username": EMAIL, "password": PASSWORD}, ""),
    ("/admin/login/", {"username": EMAIL, "password": PASSWORD}, ""),
    ("/api/v1/auth/login", {"email": EMAIL, "password": PASSWORD}, "application/json"),
]


@pytest.mark.parametrize(("page", "form", "kind"), PAGES)
@pytest.mark.parametrize("email", [EMAIL, "nobody@example.com"])
def test_beyond_them_it_is_a_503_at_once(
    busy: None,
    owner: User,
    settings: LazySettings,
    page: str,
    form: dict[str, str],
    kind: str,
    email: str,
) -> None:
    settings.ROOT_URLCONF = "connections_project.urls"
    given = {name: email if text == EMAIL else text for name, text in form.items()}
    # Ten, where five failed ones would be refused: what was not looked at is none that failed.
    for _ in range(10):
        answer = (
            Client().post(page, given, content_type=kind) if kind else Client().post(page, given)
        )
        assert (answer.status_code, answer["Retry-After"]) == (503, "1")


def test_whoever_waits_too_long_is_sent_away(settings: LazySettings) -> None:
    settings.PASSWORD_HASHING_THREADS = 1
    hashing._bounds.cache_clear()
    with hashing_slot():
        began = time.monotonic()
        with pytest.raises(HashingBusyError), hashing_slot():
            raise AssertionError("There is no second slot.")
        assert hashing.LONGEST_WAIT_SECONDS <= time.monotonic() - began < 5
    with hashing_slot():
        pass


@pytest.mark.django_db
def test_a_hash_that_is_waited_for_too_long_counts_nowhere(
    owner: User, settings: LazySettings, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PASSWORD_HASHING_THREADS = 1
    hashing._bounds.cache_clear()
    monkeypatch.setattr(hashing, "LONGEST_WAIT_SECONDS", 0.01)
    with hashing_slot():
        answers = [post("login", email=EMAIL, password="wrong") for _ in range(6)]
    assert {answer.status_code for answer in answers} == {503}
    assert post("login", email=EMAIL, password="wrong").status_code == 401
    hashing._bounds.cache_clear()


def test_no_more_threads_hash_than_are_allowed(settings: LazySettings) -> None:
    settings.PASSWORD_HASHING_THREADS = 2
    hashing._bounds.cache_clear()
    inside, most, lock = 0, 0, threading.Lock()

    def hash_one(_: int) -> bool:
        nonlocal inside, most
        try:
            with sign_in_place(), hashing_slot():
                with lock:
                    inside, most = inside + 1, max(most, inside + 1)
                time.sleep(0.01)
                with lock:
                    inside -= 1
        except HashingBusyError:
            return False
        return True

    with ThreadPoolExecutor(32) as threads:
        done = list(threads.map(hash_one, range(32)))
    assert most == 2
    assert 8 <= sum(done) < 32


@pytest.mark.usefixtures("still_buckets")
def test_a_principal_succeeds_30_times_a_minute(owner: User, outsider: User, post: Post) -> None:
    answers = [post("login", email=EMAIL, password=PASSWORD) for _ in range(32)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429] * 2
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert post("login", email=outsider.email, password=PASSWORD).status_code == 200
    # Nobody who has not the password learns that.
    assert post("login", email=EMAIL, password="wrong").status_code == 401


def test_an_unknown_e_mail_costs_the_same(
    argon2: None, owner: User, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.update(password=make_password(PASSWORD))
    hashed: list[str] = []

    def counted(name: str) -> None:
        hash_it = getattr(PasswordHasher, name)

        def count(hasher: PasswordHasher, *args: Any) -> Any:
            hashed.append(name)
            return hash_it(hasher, *args)

        monkeypatch.setattr(PasswordHasher, name, count)

    counted("encode")
    counted("verify")
    for email in (EMAIL, "nobody@example.com"):
        assert post("login", email=email, password="wrong").status_code == 401
    assert hashed == ["verify", "encode"]
