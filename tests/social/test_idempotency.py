"""`Idempotency-Key`: a post that is asked for twice goes out once, whatever became of the first."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection
from django.utils import timezone
from rest_framework.test import APIClient

from audit.record import Origin
from connections_project.connections.refresh import refreshed_for_use
from connections_project.identity.models import Team, User
from connections_project.oauth.errors import PlatformError
from social import publications
from social import publish as verb
from social.models import Publication, SocialAccount
from social.publications import forget_old_keys
from tests.conftest import SignIn, UseCatalogue
from tests.social.conftest import KeyClient
from tests.support.gallery import Gallery, disconnect
from tests.support.platform_server import Answer
from tests.support.provider_rows import events
from tests.support.social_publishing import MORE, publish, status_and_error
from tests.support.social_rows import account_of

POSTS = "/7/posts"


@pytest.fixture
def account(team: Team, gallery: Gallery, use_catalogue: UseCatalogue) -> SocialAccount:
    use_catalogue(gallery.catalogue(more=MORE), "gallery")
    gallery.server.on(
        "POST", POSTS, *(Answer(json={"id": str(number)}) for number in range(71, 75))
    )
    return account_of(team)


def posts(gallery: Gallery) -> int:
    return len(gallery.server.requests_to(POSTS))


def test_a_repeated_key_gets_the_first_answer(
    api: APIClient, account: SocialAccount, gallery: Gallery
) -> None:
    first, again = publish(api, account, "key-1"), publish(api, account, "key-1")
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert posts(gallery) == 1
    assert len(events("account_published")) == 1


def test_a_key_that_is_given_back_just_now_is_in_use(
    api: APIClient, account: SocialAccount, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def given_back(**_: object) -> None:
        raise IntegrityError

    monkeypatch.setattr(Publication.objects, "get_or_create", given_back)
    answer = publish(api, account, "key-1")
    assert answer.status_code == 409
    assert posts(gallery) == 0


def test_without_the_same_key_it_is_another_post(
    api: APIClient, account: SocialAccount, gallery: Gallery
) -> None:
    answers = [publish(api, account, key) for key in (None, None, "key-1", "key-2")]
    assert [one.json()["postId"] for one in answers] == ["71", "72", "73", "74"]


@pytest.mark.parametrize(
    "other", [{"caption": "Other"}, {"imageUrl": "https://example.com/a.jpg"}, {"accountId": "8"}]
)
def test_a_key_is_good_for_one_post(
    api: APIClient, account: SocialAccount, team: Team, gallery: Gallery, other: dict[str, Any]
) -> None:
    if "accountId" in other:
        other = {"accountId": str(account_of(team, account_id="8").pk)}
    publish(api, account, "key-1")
    assert status_and_error(publish(api, account, "key-1", **other)) == (
        422,
        "Idempotency key reused",
    )
    assert posts(gallery) == len(gallery.server.requests) == 1


def test_a_key_belongs_to_the_team_whoever_sends_it(
    api: APIClient,
    with_key: KeyClient,
    sign_in: SignIn,
    account: SocialAccount,
    team: Team,
    outsider: User,
    gallery: Gallery,
) -> None:
    first = publish(api, account, "key-1").json()
    assert publish(with_key(team), account, "key-1").json() == first
    theirs = account_of(outsider.own_team)
    assert publish(sign_in(outsider), theirs, "key-1").json()["postId"] == "72"


@pytest.mark.parametrize("answer", [Answer(400, json={}), Answer(500), Answer(429, json={})])
def test_a_failure_is_repeated_and_not_retried(
    api: APIClient, account: SocialAccount, gallery: Gallery, answer: Answer
) -> None:
    gallery.server.on("POST", POSTS, answer, Answer(json={"id": "71"}))
    first, again = publish(api, account, "key-1"), publish(api, account, "key-1")
    assert status_and_error(first) == status_and_error(again) == (502, "Platform error")
    assert first.json() == again.json()
    assert posts(gallery) == 1


def test_a_refusal_before_sending_frees_the_key(
    api: APIClient, account: SocialAccount, gallery: Gallery
) -> None:
    call_command("suspend_platform", "gallery", reason="breach")
    assert publish(api, account, "key-1").status_code == 503
    call_command("resume_platform", "gallery")
    assert publish(api, account, "key-1").status_code == 200


def away(*_: object, **__: object) -> Any:
    raise OperationalError


@pytest.mark.parametrize("step", ["refreshed_for_use", "_still_active"])
def test_an_outage_before_sending_frees_the_key(
    api: APIClient,
    account: SocialAccount,
    gallery: Gallery,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    """Also where nothing can be deleted just then."""
    with monkeypatch.context() as patch:
        patch.setattr(verb, step, away if step == "refreshed_for_use" else lambda _: away)
        patch.setattr(Publication, "delete", away)
        assert publish(api, account, "key-1").status_code == 503
    assert posts(gallery) == 0
    assert publish(api, account, "key-1").status_code == 200


def test_an_outage_after_a_refused_token_frees_the_key(
    api: APIClient, account: SocialAccount, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery.server.on("POST", POSTS, Answer(401), Answer(json={"id": "71"}))

    def away_if_forced(row: SocialAccount, *, origin: Origin, force: bool = False) -> SocialAccount:
        return away() if force else refreshed_for_use(row, origin=origin)

    with monkeypatch.context() as patch:
        patch.setattr(verb, "refreshed_for_use", away_if_forced)
        assert publish(api, account, "key-1").status_code == 503
    assert publish(api, account, "key-1").status_code == 200
    assert posts(gallery) == 2


def test_a_failure_before_the_post_is_repeated_too(
    api: APIClient, account: SocialAccount, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PlatformError("timeout", platform="gallery")

    with monkeypatch.context() as patch:
        patch.setattr(verb, "_publish_once", fail)
        first = publish(api, account, "key-1")
    again = publish(api, account, "key-1")
    assert status_and_error(first) == status_and_error(again) == (502, "Platform error")
    assert posts(gallery) == 0


def test_of_two_that_come_at_once_one_is_sent(
    api: APIClient, account: SocialAccount, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one has looked before there was anything to see."""
    monkeypatch.setattr(publications, "_earlier_result", lambda _: None)
    assert publish(api, account, "key-1").status_code == 200
    again = publish(api, account, "key-1")
    assert status_and_error(again) == (409, "Publication in progress")
    assert posts(gallery) == 1


def test_a_disconnect_keeps_the_first_answer(
    api: APIClient, account: SocialAccount, gallery: Gallery
) -> None:
    first = publish(api, account, "key-1").json()
    disconnect(api, account)
    assert publish(api, account, "key-1").json() == first
    assert status_and_error(publish(api, account, "key-2")) == (403, "Account inactive")
    assert posts(gallery) == 1


def test_a_crash_midway_is_reported_never_retried(
    api: APIClient, account: SocialAccount, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any, **__: Any) -> None:
        raise KeyError

    with monkeypatch.context() as patch:
        patch.setattr(verb, "_record", crash)
        assert publish(api, account, "key-1").status_code == 500
    assert posts(gallery) == 1
    assert status_and_error(publish(api, account, "key-1")) == (409, "Publication in progress")
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert status_and_error(publish(api, account, "key-1")) == (
            409,
            "Publication outcome unknown",
        )
    assert posts(gallery) == 1


@pytest.mark.parametrize("key", ["", "   ", "x" * 256, "ümlaut", '""'])
def test_what_cannot_be_a_key_is_named(
    api: APIClient, account: SocialAccount, gallery: Gallery, key: str
) -> None:
    answer = publish(api, account, key)
    assert status_and_error(answer) == (400, "Validation failed")
    assert answer.json()["details"][0]["field"] == "Idempotency-Key"
    assert posts(gallery) == 0


def test_a_key_in_quotes_is_the_key(
    api: APIClient, account: SocialAccount, gallery: Gallery
) -> None:
    publish(api, account, '"key-1"')
    publish(api, account, "key-1")
    assert posts(gallery) == 1


def test_old_keys_are_forgotten(
    api: APIClient, account: SocialAccount, django_assert_num_queries: Any
) -> None:
    publish(api, account, "key-1")
    with time_machine.travel(timezone.now() + timedelta(hours=23)):
        assert forget_old_keys() == 0
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert forget_old_keys() == 1
    assert not Publication.objects.exists()
    with django_assert_num_queries(1):
        forget_old_keys()


@pytest.mark.django_db(transaction=True)
def test_the_key_is_taken_before_anything_is_sent(
    api: APIClient, account: SocialAccount, gallery: Gallery
) -> None:
    """So that a process that dies right after sending leaves its trace."""
    seen: list[str] = []

    def look(_: Any) -> Answer:
        seen.append(Publication.objects.get().state)
        connection.close()
        return Answer(json={"id": "71"})

    gallery.server.on("POST", POSTS, look)
    publish(api, account, "key-1")
    assert seen == ["sending"]
    assert Publication.objects.get().state == "published"
