"""What a start outside DEBUG must be given, and what DEBUG makes up."""

import pytest

from tests.conf.conftest import PRODUCTION, load, refusal

REQUIRED = [name for name in PRODUCTION if name != "ENV_FILE"]
KEYS = ["SECRET_KEY", "CREDENTIAL_KEYS", "AUDIT_SIGNING_KEY", "RECEIPT_SIGNING_KEY"]


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_variable_is_named(name: str, value: str | None) -> None:
    assert refusal(**{name: value}).startswith(f"Configuration: {name} is missing: ")


@pytest.mark.parametrize("name", ["CREDENTIAL_KEYS", "ALLOWED_HOSTS"])
def test_commas_alone_are_a_wrong_value(name: str) -> None:
    assert refusal(**{name: " , ,"}).startswith(f"Configuration: {name} is wrong: ")


def test_nothing_else_is_needed() -> None:
    settings = load()
    assert settings["DEBUG"] is False
    assert settings["MISSING_KEYS"] == []
    assert settings["ADMIN_TOTP_REQUIRED"] is True
    assert settings["REDIS_URL"] == settings["CELERY_BROKER_URL"] == ""
    assert settings["TRUSTED_PROXY_COUNT"] == 0
    assert settings["SOCIAL_TOKEN_RETENTION_DAYS"] == 90
    assert settings["LOG_FORMAT"] == "console"
    assert settings["PROBLEM_TYPE_BASE_URL"] == "https://api.dashtam.com/errors/"
    assert settings["DATABASES"]["default"]["ENGINE"] == "django.db.backends.sqlite3"


def test_debug_makes_up_missing_keys() -> None:
    absent: dict[str, str | None] = dict.fromkeys(REQUIRED)
    first, second = load(DEBUG="true", **absent), load(DEBUG="true", **absent)
    assert first["MISSING_KEYS"] == KEYS
    assert all(first[name] != second[name] for name in KEYS)
    assert first["PUBLIC_URL"] == "https://localhost:8000"
    assert first["ADMIN_TOTP_REQUIRED"] is False


def test_the_times_have_the_contracts_values() -> None:
    settings = load()
    seconds = {name: settings[name] for name in settings if name.endswith("_SECONDS")}
    assert seconds == {
        "DRAIN_SECONDS": 5,
        "REQUEST_BODY_SECONDS": 30,
        "CONNECT_SESSION_SECONDS": 1800,
        "EVENT_GIVE_UP_SECONDS": 432000,
        "EVENT_LEASE_SECONDS": 30,
        "EVENT_RETRY_SECONDS": (5, 30, 120, 600, 3600, 10800, 21600, 43200),
        "OAUTH_STATE_SECONDS": 600,
        "PENDING_CONNECTION_SECONDS": 600,
        "REVOCATION_FIRST_RETRY_SECONDS": 30,
        "REVOCATION_GIVE_UP_SECONDS": 86400,
        "REVOCATION_LEASE_SECONDS": 30,
        "PUBLISH_FIRST_RETRY_SECONDS": 10,
        "PUBLISH_GIVE_UP_SECONDS": 86400,
        "PUBLISH_LEASE_SECONDS": 30,
        "REFRESH_LEASE_SECONDS": 15,
        "ACCESS_TOKEN_SECONDS": 900,
        "ISSUER_KEYS_SECONDS": 300,
        "ISSUER_KEYS_KEEP_SECONDS": 24 * 3600,
        "SECURE_HSTS_SECONDS": 365 * 24 * 3600,
    }


def test_redis_is_the_broker_unless_another_is_set() -> None:
    redis = "redis://cache.example.com:6379/1"
    assert load(REDIS_URL=redis)["CELERY_BROKER_URL"] == redis
    broker = "amqp://broker.example.com"
    assert load(REDIS_URL=redis, CELERY_BROKER_URL=broker)["CELERY_BROKER_URL"] == broker


def test_a_client_is_read_by_its_slug() -> None:
    clients = load(
        OAUTH_SCHWAB_CLIENT_ID="an id",
        OAUTH_SCHWAB_CLIENT_SECRET="a secret",
        OAUTH_MONZO_REDIRECT_URIS="https://a.example.com/x, com.example.app:/back",
    )["OAUTH_CLIENTS"]
    assert clients == {
        "schwab": {
            "client_id": "an id",
            "client_secret": "a secret",
            "webhook_key": "",
            "redirect_uris": [],
        },
        "monzo": {
            "client_id": "",
            "client_secret": "",
            "webhook_key": "",
            "redirect_uris": ["https://a.example.com/x", "com.example.app:/back"],
        },
    }
