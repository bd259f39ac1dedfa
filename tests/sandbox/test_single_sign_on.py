"""Operators' single sign-on at the sandbox: the flow with a real OpenID Connect provider."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client

from connections_project.conf.single_sign_on import SingleSignOn
from connections_project.identity.models import User
from tests.support.sandbox_server import SandboxHandle, authorize, running_sandbox

CALLBACK = "https://localhost:8000/admin/sso/callback"


@pytest.fixture
def provider(
    db: None, tmp_path_factory: pytest.TempPathFactory, settings: LazySettings
) -> Iterator[SandboxHandle]:
    settings.ROOT_URLCONF = "connections_project.urls"
    settings.PUBLIC_URL = CALLBACK.removesuffix("/admin/sso/callback")
    with running_sandbox(tmp_path_factory.mktemp("provider"), redirect_uris=[CALLBACK]) as handle:
        client = (handle.client_id, handle.client_secret)
        settings.ADMIN_OIDC = SingleSignOn(handle.url, *client, "groups", "operators", "", "")
        yield handle


def test_its_operators_come_in_and_nobody_else(provider: SandboxHandle) -> None:
    for person, status in (("grace", 302), ("ada", 403)):
        browser = Client()
        asked = browser.get("/admin/sso")["Location"]
        back = urlsplit(authorize(provider, asked, person=person))
        answer = browser.get(f"{back.path}?{back.query}")
        assert answer.status_code == status, answer.content
        assert browser.get("/admin/").status_code == (200 if status == 302 else 302)
    operator = User.objects.get(is_staff=True)
    assert (operator.issuer, operator.issuer_email) == (provider.url, "grace@example.org")
