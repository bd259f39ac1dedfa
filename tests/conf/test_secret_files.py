"""Each secret may be given as a file, as Docker, Kubernetes and Vault agents mount them."""

import re
from pathlib import Path

import pytest

from tests.conf.conftest import PRODUCTION, ROOT, load, refusal

SECRETS = {
    "SECRET_KEY": PRODUCTION["SECRET_KEY"],
    "CREDENTIAL_KEYS": PRODUCTION["CREDENTIAL_KEYS"],
    "AUDIT_SIGNING_KEY": PRODUCTION["AUDIT_SIGNING_KEY"],
    "RECEIPT_SIGNING_KEY": PRODUCTION["RECEIPT_SIGNING_KEY"],
    "DATABASE_URL": "postgres://service:hush@db.example.com/service",
    "REDIS_URL": "redis://:hush@cache.example.com:6379/0",
    "CELERY_BROKER_URL": "amqp://service:hush@broker.example.com",
    "METRICS_TOKEN": "hush",
    "OUTBOUND_PROXY": "http://service:hush@proxy.example.com:3128",
    "EMAIL_HOST_PASSWORD": "hush",
    "ADMIN_OIDC_CLIENT_SECRET": "hush",
}
# What goes with it.
BESIDE = {
    "ADMIN_OIDC_CLIENT_SECRET": {
        "ADMIN_OIDC_ISSUER": "https://id.example.com",
        "ADMIN_OIDC_CLIENT_ID": "connections",
        "ADMIN_OIDC_OPERATORS_GROUP": "operators",
    }
}
HELD = {"DATABASE_URL": "DATABASES", "ADMIN_OIDC_CLIENT_SECRET": "ADMIN_OIDC"}
PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
SOUNDS_SECRET = re.compile(r"^\| `([A-Z_]*(?:KEYS?|SECRET|PASSWORD|TOKEN))`", flags=re.MULTILINE)
PUBLIC = {"AUDIT_PUBLIC_KEYS", "RECEIPT_PUBLIC_KEYS"}


def mounted(folder: Path, value: str) -> str:
    path = folder / "secret"
    # Editors and `echo` end a file with a line break.
    path.write_text(f"{value}\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_read_from_its_file(name: str, tmp_path: Path) -> None:
    setting = HELD.get(name, name)
    path, beside = mounted(tmp_path, SECRETS[name]), BESIDE.get(name, {})
    from_file = load(**beside, **{name: None, f"{name}_FILE": path})[setting]
    assert from_file == load(**beside, **{name: SECRETS[name]})[setting]
    assert from_file != load()[setting] or PRODUCTION.get(name)


def test_each_secret_of_the_page_can_be_a_file() -> None:
    assert set(SOUNDS_SECRET.findall(PAGE)) - PUBLIC <= set(SECRETS)
    assert [name for name in SECRETS if f"`{name}`" not in PAGE.partition("## Keys")[0]] == []


def test_a_client_secret_is_read_from_its_file(tmp_path: Path) -> None:
    path = mounted(tmp_path, "hush")
    settings = load(OAUTH_SCHWAB_CLIENT_ID="id", OAUTH_SCHWAB_CLIENT_SECRET_FILE=path)
    assert settings["OAUTH_CLIENTS"]["schwab"]["client_secret"] == "hush"


def test_a_missing_file_ends_the_start(tmp_path: Path) -> None:
    words = refusal(SECRET_KEY=None, SECRET_KEY_FILE=str(tmp_path / "absent"))
    assert "SECRET_KEY_FILE is wrong" in words


def test_a_file_that_is_no_text_ends_the_start(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"\xff\xfe\x00")
    assert "SECRET_KEY_FILE is wrong" in refusal(SECRET_KEY=None, SECRET_KEY_FILE=str(path))


def test_an_empty_file_is_a_missing_secret(tmp_path: Path) -> None:
    path = mounted(tmp_path, "")
    assert "SECRET_KEY is missing" in refusal(SECRET_KEY=None, SECRET_KEY_FILE=path)


def test_a_secret_is_given_in_one_way_only(tmp_path: Path) -> None:
    words = refusal(SECRET_KEY_FILE=mounted(tmp_path, "another"))
    assert "not both" in words
    assert "another" not in words


def test_what_is_no_secret_has_no_file(tmp_path: Path) -> None:
    path = mounted(tmp_path, "json")
    assert load(LOG_FORMAT_FILE=path)["LOG_FORMAT"] == "console"
