"""Nobody but the team sees, uses or ends its accounts; and nobody learns that they exist."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from connections_project.identity.models import Team, User
from social.models import SocialAccount
from tests.conftest import SignIn
from tests.social.conftest import KeyClient
from tests.support.gallery import SOCIAL, Gallery
from tests.support.social_rows import account_of

Call = Callable[[APIClient, Any], Any]


def post(path: str, **fields: Any) -> Call:
    """Make a call whose body holds these fields, with the account's id in place of ID."""

    def call(client: APIClient, account_id: Any) -> Any:
        body = json.loads(json.dumps(fields).replace("ID", str(account_id)))
        return client.post(f"{SOCIAL}/{path}", body, format="json")

    return call


CALLS: dict[str, Call] = {
    "POST disconnect": post("disconnect", accountId="ID"),
    "DELETE disconnect": lambda client, account: client.delete(f"{SOCIAL}/disconnect/{account}"),
    "publish": post("publish", accountId="ID", caption="Hello"),
    "connect": post("connect", platform="gallery", accountIds=["ID"]),
}


@pytest.fixture(params=["Bearer", "key"])
def other_api(
    request: pytest.FixtureRequest, sign_in: SignIn, outsider: User, with_key: KeyClient
) -> APIClient:
    """Another team, with credentials that are good."""
    return sign_in(outsider) if request.param == "Bearer" else with_key(outsider.own_team)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize("status", ["active", "expired", "disconnected"])
def test_another_teams_account_is_not_found(
    other_api: APIClient,
    team: Team,
    gallery: Gallery,
    call: Call,
    status: str,
) -> None:
    account = account_of(team, status=status)
    before = SocialAccount.objects.values().get()
    call(other_api, uuid4())  # The first call may note that the key was used.
    answers, statements = [], []
    for account_id in (account.pk, uuid4()):
        with CaptureQueriesContext(connection) as captured:
            answers.append(call(other_api, account_id))
        statements.append(len(captured))
    theirs, unknown = answers
    assert theirs.status_code == unknown.status_code == 404
    assert theirs.json()["error"] == "Account not found"
    assert theirs.content == unknown.content
    assert _telling(theirs) == _telling(unknown)
    # The same statements take the same time.
    assert statements[0] == statements[1]
    assert SocialAccount.objects.values().get() == before
    assert gallery.server.requests == []


def _telling(answer: Any) -> dict[str, str]:
    per_request = ("X-Trace-Id", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    return {name: value for name, value in answer.headers.items() if name not in per_request}


def test_another_teams_accounts_are_not_listed(
    other_api: APIClient, team: Team, outsider: User, gallery: Gallery
) -> None:
    account_of(team)
    own = account_of(outsider.own_team)
    listed = other_api.get(f"{SOCIAL}/accounts").json()["accounts"]
    assert [one["id"] for one in listed] == [str(own.pk)]
