"""Make people with accounts at a platform, and print the requests: `python -m bench.peers.fill`.

Run in the peers' own environment, with the site's settings. Prints JSON: `list` and `disconnect`,
each a list of whole HTTP requests.
"""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

from bench.load import request

ACCOUNTS = 50


def main() -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    is_allauth = "allauth" in settings.INSTALLED_APPS
    requests = _allauth if is_allauth else _social
    people = [_person(number) for number in range(int(sys.argv[1]))]
    found: dict[str, list[str]] = {"list": [], "disconnect": []}
    for person, session in people:
        for name, one in requests(person, session):
            found[name].append(one.decode())
    print(json.dumps(found))


def _person(number: int) -> tuple[Any, str]:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User

    user = User(username=f"person-{number}", email=f"person-{number}@example.com")
    # One hash for all would do; nobody signs in here.
    user.password = "pbkdf2_sha256$1$salt$Yn9Lqh2Bq0o1Jg0iY1Hq1hOQm6e0m1q0c0cZ0m1Qm6A="
    user.save()
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return user, session.session_key


def _allauth(user: Any, session: str) -> Iterator[tuple[str, bytes]]:
    from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken

    app, _ = SocialApp.objects.get_or_create(
        provider="github", name="GitHub", client_id="bench", secret="bench"
    )
    path, token = "/_allauth/app/v1/account/providers", f"X-Session-Token: {session}"
    yield "list", request("GET", path, token)
    for number in range(ACCOUNTS):
        uid = f"{user.pk}-{number}"
        account = SocialAccount.objects.create(user=user, provider="github", uid=uid, extra_data={})
        SocialToken.objects.create(app=app, account=account, token="an-access-token" * 4)
        body = json.dumps({"provider": "github", "account": uid})
        yield "disconnect", request("DELETE", path, token, body=body)


def _social(user: Any, session: str) -> Iterator[tuple[str, bytes]]:
    from social_django.models import UserSocialAuth

    csrf = "a" * 32
    cookies = f"Cookie: sessionid={session}; csrftoken={csrf}"
    for number in range(ACCOUNTS):
        row = UserSocialAuth.objects.create(
            user=user,
            provider="github",
            uid=f"{user.pk}-{number}",
            extra_data={"access_token": "an-access-token" * 4},
        )
        path = f"/disconnect/github/{row.pk}/"
        yield "disconnect", request("POST", path, cookies, f"X-CSRFToken: {csrf}")


if __name__ == "__main__":
    main()
