"""Whatever is looked for is found by an index, however many rows there are."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from connections_project.identity.models import ApiKey, Team
from social.models import Publication, SocialAccount
from tests.support.gallery import Gallery
from tests.support.query_plans import plan_with
from tests.support.social_rows import account_of

Look = Callable[[Team], QuerySet[Any]]
LOOKS: dict[str, Look] = {
    "social_account_list": lambda team: SocialAccount.objects.of_team(team.pk),
    "social_account_once": lambda team: SocialAccount.objects.filter(
        team_id=team.pk, platform="gallery", platform_account_id="7"
    ),
    "social_token_set": lambda _: SocialAccount.objects.filter(token_set=uuid4()),
    "social_granting_user": lambda _: SocialAccount.objects.filter(granting_user_id="person-1"),
    "social_kept_tokens": lambda _: SocialAccount.objects.kept_too_long(now=timezone.now()),
    "social_renewal": lambda _: (
        SocialAccount.objects.usable().filter(renew_at__lte=timezone.now()).order_by("renew_at")
    ),
    "social_publication_once": lambda team: Publication.objects.filter(
        team_id=team.pk, idempotency_key="key-1"
    ),
    "social_publication_age": lambda _: Publication.objects.filter(created_at__lt=timezone.now()),
    "prefix": lambda _: ApiKey.objects.filter(prefix="cnx_0123456789abcdef"),
}
# SQLite names the indexes of constraints by itself.
OF_CONSTRAINTS = {"social_account_once", "social_publication_once"}


@pytest.mark.parametrize("index", LOOKS)
def test_it_is_found_by_its_index(team: Team, gallery: Gallery, index: str) -> None:
    account_of(team)
    named = connection.vendor == "postgresql" or index not in OF_CONSTRAINTS
    assert (index if named else "sqlite_autoindex") in plan_with(index, LOOKS[index](team))
