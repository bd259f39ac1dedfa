"""`POST /publish`: what is sent, what comes of it, and what is refused before anything is."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.core.vault import Sealed
from connections_project.identity.models import ApiKey, Team, User
from connections_project.oauth.client import TokenSet
from social.models import Publication, SocialAccount
from tests.conftest import SignIn, UseCatalogue
from tests.social.conftest import KeyClient
from tests.support.gallery import SOCIAL, Gallery
from tests.support.platform_server import Answer
from tests.support.provider_rows import TOKENS, events
from tests.support.social_publishing import MORE, publish, status_and_error
from tests.support.social_rows import account_of

POSTS = "/7/posts"


@pytest.fixture
def account(team: Team, gallery: Gallery, use_catalogue: UseCatalogue) -> SocialAccount:
    """An account at a platform that takes posts."""
    use_catalogue(gallery.catalogue(more=MORE), "gallery")
    gallery.server.on("POST", POSTS, Answer(201, json={"id": 71, "url": "https://g.example/71"}))
    return account_of(team)


@pytest.fixture(params=["Bearer", "key"])
def caller(
    request: pytest.FixtureRequest, sign_in: SignIn, owner: User, with_key: KeyClient
) -> APIClient:
    if request.param == "Bearer":
        return sign_in(owner)
    return with_key(owner.own_team, "social:publish")


def test_a_post_goes_out_with_the_accounts_token(
    caller: APIClient, account: SocialAccount, gallery: Gallery
) -> None:
    answer = publish(caller, account, imageUrl="https://example.com/a.jpg", caption="  Hi\nthere ")
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "platform": "gallery",
        "postId": "71",
        "postUrl": "https://g.example/71",
    }
    (sent,) = gallery.server.requests
    assert sent.headers["Authorization"] == "Bearer access-0"
    assert sent.form == {"text": "  Hi\nthere ", "image": "https://example.com/a.jpg"}


def test_where_it_can_be_seen_may_be_unknown(
    caller: APIClient, account: SocialAccount, gallery: Gallery
) -> None:
    gallery.server.on("POST", POSTS, Answer(json={"id": "a"}))
    assert publish(caller, account).json()["postUrl"] is None


def test_what_the_adapter_did_not_foresee_is_a_failure_without_its_text(
    caller: APIClient,
    account: SocialAccount,
    gallery: Gallery,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # The adapter looks up what is not there, and the error's text is a part of the answer.
    gallery.server.on("POST", POSTS, Answer(201, json={"odd": 1}))
    answer = publish(caller, account)
    assert status_and_error(answer) == (502, "Platform error")
    assert events("account_published")[0].details["error"] == "malformed"
    assert not any(one.exc_info for one in caplog.records)


def test_a_success_is_audited(caller: APIClient, account: SocialAccount, team: Team) -> None:
    publish(caller, account)
    (event,) = events("account_published")
    key = ApiKey.objects.first()
    actor = ("service", key.pk) if key else ("user", team.owner_id)
    assert (event.actor_type, event.actor_id) == actor
    assert (event.outcome, event.subject_id) == ("success", account.pk)
    assert event.details == {"platform": "gallery", "accountName": "@myaccount", "postId": "71"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(400, json={"error": "bad caption"}), "refused"),
        (Answer(403, json={}), "refused"),
        (Answer(429, json={}), "rate_limited"),
        (Answer(503, json={}), "unavailable"),
    ],
)
def test_a_post_that_the_platform_refused_is_a_502(
    api: APIClient, account: SocialAccount, gallery: Gallery, answer: Answer, code: str
) -> None:
    gallery.server.on("POST", POSTS, answer)
    refused = publish(api, account)
    assert status_and_error(refused) == (502, "Platform error")
    assert refused.json()["message"] == "The platform did not take the post."
    (event,) = events("account_published")
    assert (event.outcome, event.details["error"]) == ("failure", code)
    assert event.details["isUncertain"] is False
    assert SocialAccount.objects.get().status == "active"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500),
        Answer(502),
        Answer(408),
        Answer(303, headers={"Location": "/elsewhere"}),
        Answer(reset=True),
        Answer(200, body=b"not JSON"),
    ],
)
def test_an_answer_without_a_post_is_an_error(
    api: APIClient, account: SocialAccount, gallery: Gallery, answer: Answer
) -> None:
    gallery.server.on("POST", POSTS, answer)
    refused = publish(api, account)
    assert status_and_error(refused) == (502, "Platform error")
    assert "may be there" in refused.json()["message"]
    assert events("account_published")[0].details["isUncertain"] is True
    assert len(gallery.server.requests) == 1


def test_a_refused_token_is_refreshed_and_sent_again(
    api: APIClient, account: SocialAccount, gallery: Gallery
) -> None:
    gallery.server.on("POST", POSTS, Answer(401, json={}), Answer(json={"id": "71"}))
    assert publish(api, account).json()["postId"] == "71"
    first, second = gallery.server.requests_to(POSTS)
    assert first.headers["Authorization"] == "Bearer access-0"
    assert second.headers["Authorization"] == "Bearer access-1"
    assert SocialAccount.objects.get().opened().refresh_token == "refresh-1"


def test_an_expiring_token_is_refreshed_first(
    api: APIClient, team: Team, account: SocialAccount, gallery: Gallery
) -> None:
    account_of(team, account_id="8", tokens=TokenSet("access-0", "refresh-0", expires_in=1))
    ending = SocialAccount.objects.get(platform_account_id="8")
    gallery.server.on("POST", "/8/posts", Answer(json={"id": "72"}))
    SocialAccount.objects.filter(pk=ending.pk).update(token_expires_at=ending.token_issued_at)
    assert publish(api, ending).status_code == 200
    (sent,) = gallery.server.requests_to("/8/posts")
    assert sent.headers["Authorization"] == "Bearer access-1"


@pytest.mark.parametrize("tokens", [TOKENS, TokenSet("access-0")])
def test_a_401_that_nothing_mends_asks_to_connect_again(
    api: APIClient, account: SocialAccount, gallery: Gallery, tokens: TokenSet
) -> None:
    row = account
    row.take_tokens(tokens, now=timezone.now())
    row.save()
    gallery.server.on("POST", POSTS, Answer(401, json={}))
    assert status_and_error(publish(api, row)) == (502, "Platform error")
    row.refresh_from_db()
    assert (row.status, row.is_active, row.disconnected_at) == ("revoked", False, None)
    assert row.attention_reason == "grant_revoked"
    assert status_and_error(publish(api, row)) == (403, "Reconnection required")
    [shown] = api.get(f"{SOCIAL}/accounts").json()["accounts"]
    assert (shown["isActive"], shown["disconnectedAt"]) == (False, None)
    assert api.get(f"{SOCIAL}/accounts?active=true").json()["accounts"] == []
    assert api.get(f"{SOCIAL}/accounts?active=false").json()["accounts"] == [shown]


def test_a_dead_grant_asks_to_connect_again(
    api: APIClient, account: SocialAccount, gallery: Gallery
) -> None:
    gallery.server.on("POST", POSTS, Answer(401, json={}))
    gallery.server.on("POST", "/token", Answer(400, json={"error": "invalid_grant"}))
    assert status_and_error(publish(api, account)) == (502, "Platform error")
    row = SocialAccount.objects.get()
    assert (row.status, row.is_active) == ("expired", False)
    gallery.server.requests.clear()
    assert status_and_error(publish(api, account)) == (403, "Reconnection required")
    assert gallery.server.requests == []


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"accountId": 5}, "accountId"),
        ({"accountId": None}, "accountId"),
        ({"caption": ""}, "caption"),
        ({"caption": "   "}, "caption"),
        ({"caption": 5}, "caption"),
        ({"caption": None}, "caption"),
        ({"caption": "x" * 10_001}, "caption"),
        ({"caption": "a\0b"}, "caption"),
        ({"imageUrl": "http://example.com/a.jpg"}, "imageUrl"),
        ({"imageUrl": "https://"}, "imageUrl"),
        ({"imageUrl": "file:///etc/passwd"}, "imageUrl"),
        ({"imageUrl": "https://example.com/a b"}, "imageUrl"),
        ({"imageUrl": "https://example.com/" + "a" * 2048}, "imageUrl"),
        ({"imageUrl": ["https://example.com"]}, "imageUrl"),
    ],
)
def test_what_is_no_post_is_named(
    api: APIClient, account: SocialAccount, gallery: Gallery, fields: dict[str, Any], wrong: str
) -> None:
    answer = publish(api, account, **fields)
    assert status_and_error(answer) == (400, "Validation failed")
    assert [one["field"] for one in answer.json()["details"]] == [wrong]
    assert gallery.server.requests == []


def test_an_invalid_id_fails_as_at_disconnect(api: APIClient, account: SocialAccount) -> None:
    assert status_and_error(publish(api, account, accountId="7")) == (
        400,
        "Invalid account ID format",
    )
    assert status_and_error(publish(api, account, accountId=str(uuid4()))) == (
        404,
        "Account not found",
    )


def test_a_key_needs_the_scope(with_key: KeyClient, account: SocialAccount, team: Team) -> None:
    client = with_key(team, "social:read", "social:write")
    assert status_and_error(publish(client, account)) == (403, "Insufficient scope")


def test_a_suspended_platform_is_not_published_to(
    api: APIClient, account: SocialAccount, gallery: Gallery
) -> None:
    call_command("suspend_platform", "gallery", reason="breach")
    assert status_and_error(publish(api, account, "key-1")) == (503, "Platform unavailable")
    assert gallery.server.requests == []
    assert not Publication.objects.exists()


def test_a_platform_without_a_publisher_says_so(
    api: APIClient, team: Team, gallery: Gallery
) -> None:
    answer = publish(api, account_of(team), "key-1")
    assert status_and_error(answer) == (503, "Platform unavailable")
    assert "can't be published to" in answer.json()["message"]
    assert not Publication.objects.exists()


def test_tokens_that_no_key_reads_are_a_503(
    api: APIClient, account: SocialAccount, gallery: Gallery
) -> None:
    SocialAccount.objects.update(auth_state=Sealed("damaged"))
    assert status_and_error(publish(api, account)) == (503, "Service unavailable")
    assert gallery.server.requests == []


def test_it_takes_few_statements(
    api: APIClient, account: SocialAccount, django_assert_max_num_queries: Any
) -> None:
    # 2 for the credentials; account, suspension and its twin at the refresh, the circuit, the look
    # before the call, the event; 2 of transaction control.
    with django_assert_max_num_queries(10):
        assert publish(api, account).status_code == 200
