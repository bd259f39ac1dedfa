"""`POST /providers`: who and what is refused, and that nothing remains of it."""

import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.identity.models import User
from providers.models import Connection, Status
from tests.conftest import SignIn, UseCatalogue
from tests.support.absent_redis import NO_REDIS
from tests.support.bank import REDIRECT_URI, Bank, connect
from tests.support.provider_connecting import PROVIDERS, begin, problem, wrong_fields

# Nothing listens on port 1.


NOBODYS = "01940000-0000-7000-8000-000000000000"


def test_without_credentials_the_answer_is_401(anonymous: APIClient, bank: Bank) -> None:
    answer = begin(anonymous)
    assert problem(answer) == (401, "unauthorized")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("slug", ["nobody", "BANK", "bank/../bank", "x" * 300])
def test_an_unknown_slug_is_not_found(api: APIClient, bank: Bank, slug: str) -> None:
    answer = begin(api, slug)
    assert problem(answer) == (404, "not_found")
    assert answer.json()["detail"] == "Provider not supported"


@pytest.mark.parametrize("status", ["planned", "unsupported"])
def test_a_provider_that_is_not_active_is_not_found(
    api: APIClient, bank: Bank, use_catalogue: UseCatalogue, status: str
) -> None:
    use_catalogue(bank.catalogue(more=f'status = "{status}"'), "bank")
    assert problem(begin(api)) == (404, "not_found")


def test_the_shipped_planned_provider_is_not_found(api: APIClient, bank: Bank) -> None:
    assert problem(begin(api, "chase")) == (404, "not_found")


@pytest.mark.parametrize("app", ["channels", "social"])
def test_a_platform_of_another_app_is_not_found(
    api: APIClient, bank: Bank, use_catalogue: UseCatalogue, app: str
) -> None:
    elsewhere = bank.catalogue("page").replace("[providers.", f"[{app}.")
    if app == "social":
        elsewhere = elsewhere.replace("accounts_endpoint", "# ").replace(
            "transactions_endpoint", "# "
        )
    use_catalogue(elsewhere, "page")
    assert problem(begin(api, "page")) == (404, "not_found")


def test_no_client_credentials_means_unavailable(
    api: APIClient, bank: Bank, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(bank.catalogue())
    assert problem(begin(api)) == (503, "provider_unavailable")


def test_a_suspended_one_is_unavailable_till_resumed(api: APIClient, bank: Bank) -> None:
    call_command("suspend_platform", "bank", reason="breach")
    assert problem(begin(api)) == (503, "provider_unavailable")
    call_command("resume_platform", "bank")
    assert begin(api).status_code == 201


def test_without_a_cache_it_is_unavailable(
    api: APIClient, bank: Bank, settings: LazySettings
) -> None:
    settings.CACHES = {**settings.CACHES, "default": NO_REDIS}
    answer = begin(api)
    assert problem(answer) == (503, "service_unavailable")
    assert "oauth_flow" not in answer.cookies


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://evil.example.com/",
        f"{REDIRECT_URI}/",
        f"{REDIRECT_URI}?a=b",
        f"{REDIRECT_URI}#top",
        f" {REDIRECT_URI}",
        REDIRECT_URI.upper(),
        REDIRECT_URI.replace("https", "http"),
        REDIRECT_URI.replace("app.", "app.%65"),
        "x" * 5000,
    ],
)
def test_a_redirect_uri_must_match_exactly(api: APIClient, bank: Bank, redirect_uri: str) -> None:
    assert wrong_fields(begin(api, redirect_uri=redirect_uri)) == ["redirect_uri"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("alias", "a" * 101),
        ("alias", ""),
        ("alias", "   "),
        ("alias", 7),
        ("alias", ["a"]),
        ("alias", "a\0b"),
        ("alias", "\ud800"),
        ("redirect_uri", ""),
        ("redirect_uri", 7),
        ("redirect_uri", "https://a\0"),
        ("connection_id", 7),
        ("connection_id", ""),
        ("connection_id", "not-an-id"),
        ("connection_id", f"{{{NOBODYS}}}"),
        ("connection_id", {"id": 1}),
        ("provider_slug", None),
        ("provider_slug", ""),
        ("provider_slug", True),
        ("provider_slug", "bank\0"),
    ],
)
def test_a_wrong_field_is_named(api: APIClient, bank: Bank, field: str, value: Any) -> None:
    # Escaped, since a lone surrogate has no bytes in UTF-8.
    body = json.dumps({"provider_slug": "bank", field: value})
    answer = api.post(PROVIDERS, body, content_type="application/json")
    assert wrong_fields(answer) == [field]


def test_a_missing_slug_is_named(api: APIClient, bank: Bank) -> None:
    assert wrong_fields(api.post(PROVIDERS, {}, format="json")) == ["provider_slug"]


def test_an_unknown_connection_id_is_not_found(api: APIClient, bank: Bank) -> None:
    assert problem(begin(api, connection_id=NOBODYS)) == (404, "not_found")


def test_somebody_elses_connection_is_forbidden(
    api: APIClient, outsider: User, sign_in: SignIn, bank: Bank
) -> None:
    theirs = connect(sign_in(outsider))
    assert problem(begin(api, connection_id=str(theirs.pk))) == (403, "forbidden")


def test_disconnected_is_refused_deleted_not_found(api: APIClient, bank: Bank) -> None:
    row = connect(api)
    api.delete(f"{PROVIDERS}/{row.pk}")
    answer = begin(api, connection_id=str(row.pk))
    assert wrong_fields(answer) == ["connection_id"]
    assert answer.json()["errors"][0]["code"] == "disconnected"
    api.delete(f"{PROVIDERS}/{row.pk}")
    assert problem(begin(api, connection_id=str(row.pk))) == (404, "not_found")


def test_one_being_connected_is_refused(api: APIClient, bank: Bank) -> None:
    row = connect(api)
    Connection.objects.filter(pk=row.pk).update(status=Status.PENDING)
    assert wrong_fields(begin(api, connection_id=str(row.pk))) == ["connection_id"]


def test_a_connection_to_another_provider_is_refused(
    api: APIClient, bank: Bank, use_catalogue: UseCatalogue
) -> None:
    row = connect(api)
    use_catalogue(bank.catalogue() + bank.catalogue("other"), "bank", "other")
    assert wrong_fields(begin(api, "other", connection_id=str(row.pk))) == ["connection_id"]


def test_a_refusal_leaves_no_row_cookie_or_event(api: APIClient, bank: Bank) -> None:
    answer = begin(api, redirect_uri="https://evil.example.com/")
    assert not answer.cookies
    assert not Connection.objects.exists()
    assert not AuditEvent.objects.exists()


def test_the_sixth_start_within_a_minute_is_refused(api: APIClient, bank: Bank) -> None:
    answers = [begin(api) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [201] * 5 + [429]
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == list("432100")
    assert {answer["X-RateLimit-Limit"] for answer in answers} == {"5"}
    assert problem(answers[-1]) == (429, "rate_limit_exceeded")
    assert 1 <= int(answers[-1]["Retry-After"]) <= 12
    assert not answers[0].has_header("Retry-After")
