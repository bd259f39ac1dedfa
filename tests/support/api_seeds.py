"""Something of each kind for a principal, so that every operation has something to work on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import Permission
from django.utils import timezone
from rest_framework.test import APIClient

from channels import connect as channels
from connections_project.core.parsing import render_datetime
from connections_project.identity import sessions
from connections_project.identity.callers import TeamCaller
from connections_project.identity.keys import create_key
from connections_project.identity.models import Team, User
from connections_project.identity.origins import command_origin
from connections_project.oauth.client import TokenSet
from providers import connect as providers
from providers.models import Account
from social import connect as social
from tests.conftest import PASSWORD
from tests.support.bank import REDIRECT_URI
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.gallery import SOCIAL
from tests.support.issuer import TestIssuer
from tests.support.provider_rows import connection_of
from tests.support.social_rows import account_of

FEED = "/api/v1/events"


@dataclass(eq=False)
class Seeds:
    """What one principal has.

    Args:
        headers: The credentials.
        ids: The id in a path, by the path's beginning; the longest one that fits counts.
        fields: Values of bodies and queries by name; what is called makes a fresh one each time.
    """

    headers: Mapping[str, str]
    ids: Mapping[str, str]
    fields: Mapping[str, Any]

    def id_in(self, path: str) -> str:
        return self.ids[max((kind for kind in self.ids if path.startswith(kind)), key=len)]

    def fill(self, case: Any) -> None:
        """Put what is own in place of what was generated for a field that names it."""
        case.headers.pop("x-team-id", None)
        for part in (case.body, case.query):
            for name in set(part) & set(self.fields) if isinstance(part, dict) else ():
                part[name] = self.value(name, case.operation.path)

    def value(self, name: str, path: str) -> Any:
        """Return the value of a field of a path; what is made for one call alone is made now."""
        value = self.fields[name]
        return value(path) if callable(value) else value


def seeds_of(user: User, headers: Mapping[str, str]) -> Seeds:
    """Make something of each kind for a user, and for the user's own team."""
    client = APIClient()
    client.credentials(**{f"HTTP_{n.upper().replace('-', '_')}": v for n, v in headers.items()})
    connection, channel = connection_of(user), channel_of(user)
    over = connection_of(user, account_id="over", tokens=TokenSet("access-9", "refresh-9"))
    assert client.delete(f"/api/v1/auth/{over.pk}/disconnect").status_code == 200
    schedule = schedule_of(channel)
    account = account_of(user.own_team)
    now = timezone.now()
    read = Account.objects.create(
        connection=connection, platform_account_id="acc-1", created_at=now, updated_at=now
    )
    return Seeds(
        headers,
        ids={
            "": str(connection.pk),
            "/api/v1/receipts": str(over.pk),
            "/api/v1/accounts": str(read.pk),
            "/api/v1/channels": str(channel.pk),
            "/api/v1/schedules": str(schedule.pk),
            SOCIAL: str(account.pk),
        },
        fields={
            "email": "robot@example.com",
            "password": PASSWORD,
            "refresh_token": lambda _: sessions.begin(user).refresh_token,
            "provider_slug": "bank",
            "channel": "chirp",
            "platform": "gallery",
            "redirect_uri": REDIRECT_URI,
            "connection_id": str(connection.pk),
            "channel_connection_id": str(channel.pk),
            "schedule_ids": [str(schedule.pk)],
            "run_at": render_datetime(now + timedelta(days=1)),
            "image_url": "https://example.com/a.jpg",
            "imageUrl": "https://example.com/a.jpg",
            "accountId": str(account.pk),
            "accountIds": [str(account.pk)],
            "code": "the-code",
            "error": "",
            "iss": "",
            "state": partial(_state, user, user.own_team),
        },
    )


def _state(principal: Any, team: Team, path: str) -> str:
    """Start a flow without a client: Django's own would end the test's database connection."""
    given: dict[str, Any] = {"redirect_uri": None, "browser": "a browser"}
    if path.startswith(SOCIAL):
        caller = TeamCaller(team.pk, principal)
        begin = partial(social.begin, platform="gallery", account_ids=[], caller=caller)
    elif path.startswith("/api/v1/channels"):
        begin = partial(channels.begin, channel="chirp", user=principal)
    else:
        begin = partial(providers.begin, slug="bank", alias=None, reauthorise=None, user=principal)
    return begin(**given).state


def bearer(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {sessions.begin(user).access_token}"}


def external_person(issuer: TestIssuer) -> tuple[User, dict[str, str]]:
    """Let somebody of an issuer come in for the first time."""
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    principal = APIClient().get("/api/v1/me", headers=headers).json()["principal_id"]
    return User.objects.get(pk=principal), headers


def with_key(seeds: Seeds, owner: User) -> Seeds:
    """Return the same for a program of the owner's team."""
    team = owner.own_team
    scopes = ["social:read", "social:write", "social:publish"]
    made = create_key(team=team, scopes=scopes, origin=command_origin(None))
    fields = {**seeds.fields, "state": partial(_state, made.key, team)}
    return Seeds({"x-api-key": made.text, "x-team-id": str(team.pk)}, seeds.ids, fields)


def feed_reader(service_account: User) -> dict[str, str]:
    """Return the credentials of a program that reads the feed."""
    service_account.user_permissions.add(Permission.objects.get(codename="read_events"))
    return bearer(service_account)
