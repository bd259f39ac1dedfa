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
# What serves as well. SQLite names the indexes of constraints by itself, and doesn't see that a
# parameter is the constant that a partial index is for (sqlite.org/partialindex.html, section 3).
AS_GOOD = {
    "social_account_once": ("sqlite_autoindex", "social_by_account"),
    "social_publication_once": ("sqlite_autoindex",),
    "social_kept_tokens": ("social_by_status", "social_by_both"),
    "social_renewal": ("social_by_status",),
}


@pytest.mark.parametrize("index", LOOKS)
def test_it_is_found_by_its_index(team: Team, gallery: Gallery, index: str) -> None:
    account_of(team)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # The tables of a test are so small that reading them whole would be cheapest.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    plan = LOOKS[index](team).explain()
    assert any(name in plan for name in (index, *AS_GOOD.get(index, ()))), plan
