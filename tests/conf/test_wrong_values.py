"""Every wrong value ends the start in one line that names the variable and keeps the value."""

import base64
import os
import re
from pathlib import Path

import pytest

from tests.conf.conftest import SETTINGS, load, refusal

# A mark that stands in each wrong value, so that a complaint that quotes it is found out.
MARK = "tr0ub4dor"
SHORT_SEED = base64.b64encode(MARK.encode()).decode()

WRONG = [
    ("DEBUG", MARK),
    ("SECRET_KEY", MARK),
    ("SECRET_KEY", f"{MARK}\udcff" * 9),
    ("CREDENTIAL_KEYS", MARK),
    ("CREDENTIAL_KEYS", f"{base64.urlsafe_b64encode(bytes(32)).decode()},{MARK}"),
    ("AUDIT_SIGNING_KEY", SHORT_SEED),
    ("AUDIT_SIGNING_KEY", f"ü{MARK}"),
    ("RECEIPT_SIGNING_KEY", "ab" * 32),
    ("AUDIT_PUBLIC_KEYS", SHORT_SEED),
    ("RECEIPT_PUBLIC_KEYS", f"{base64.b64encode(bytes(32)).decode()},{MARK}"),
    ("AUDIT_HEADS_FILE", "/"),
    ("AUDIT_TIMESTAMP_URL", f"ftp://{MARK}.example.com"),
    ("AUDIT_TIMESTAMP_URL", f"https://user:{MARK}@example.com"),
    ("AUDIT_TIMESTAMP_ROOTS", f"/nowhere/{MARK}.pem"),
    ("AUDIT_TIMESTAMP_ROOTS", __file__),
    ("ALLOWED_HOSTS", f"https://{MARK}.example.com"),
    ("ALLOWED_HOSTS", f"{MARK}.example.com:8000"),
    ("CSRF_TRUSTED_ORIGINS", f"{MARK}.example.com"),
    ("CSRF_TRUSTED_ORIGINS", f"https://{MARK}.example.com/"),
    ("CSRF_TRUSTED_ORIGINS", f"https://[{MARK}"),
    ("PUBLIC_URL", f"{MARK}.example.com"),
    ("PUBLIC_URL", f"ftp://{MARK}.example.com"),
    ("PUBLIC_URL", f"https://{MARK}.example.com:port"),
    ("PUBLIC_URL", f"https://[{MARK}"),
    # A part of it would be cut off as it is read, and headers refuse the whole.
    ("PUBLIC_URL", f"https://{MARK}\n.example.com"),
    ("RETURN_URL_ORIGINS", f"https://{MARK}\t.example.com"),
    ("PUBLIC_URL", f"https://user:{MARK}@example.com"),
    ("PUBLIC_URL", f"https://example.com/?{MARK}"),
    ("PROBLEM_TYPE_BASE_URL", MARK),
    ("DATABASE_URL", MARK),
    ("DATABASE_URL", f"mysql://user:{MARK}@localhost/name"),
    ("DATABASE_URL", f"postgres://user:{MARK}@localhost:port/name"),
    ("DATABASE_URL", f"postgres://user:{MARK}@localhost"),
    ("DATABASE_URL", f"postgres://[{MARK}"),
    ("DATABASE_URL", f"sqlite://{MARK}.sqlite3"),
    ("DATABASE_URL", "sqlite://"),
    ("DATABASE_POOL_SIZE", "-1"),
    ("DATABASE_STATEMENT_TIMEOUT_SECONDS", MARK),
    # PostgreSQL takes no more milliseconds than a signed number of 32 bits, and would refuse all.
    ("DATABASE_STATEMENT_TIMEOUT_SECONDS", "2147484"),
    ("REDIS_URL", f"http://{MARK}.example.com"),
    ("REDIS_URL", f"redis://:{MARK}@localhost:port"),
    ("CELERY_BROKER_URL", MARK),
    ("CELERY_BROKER_URL", f"http://{MARK}.example.com"),
    ("CELERY_BROKER_URL", f"unix:///run/{MARK}.sock"),
    ("PROMETHEUS_MULTIPROC_DIR", f"{os.devnull}/{MARK}"),
    ("OUTBOUND_SHARE", "0"),
    ("OUTBOUND_SHARE", "1.1"),
    ("OUTBOUND_SHARE", "nan"),
    ("EXTRA_APPS", f"no_such_{MARK}"),
    ("EXTRA_APPS", f"audit.no_such.{MARK}"),
    ("EXTRA_APPS", f".{MARK}"),
    ("OAUTH_CATALOG", f"/nowhere/{MARK}.toml"),
    ("STATIC_ROOT", os.devnull),
    ("LOG_FORMAT", MARK),
    ("ADMIN_TOTP_REQUIRED", MARK),
    ("TRUSTED_PROXY_COUNT", MARK),
    ("TRUSTED_PROXY_COUNT", "-1"),
    ("TRUSTED_PROXY_COUNT", "1.5"),
    ("WEB_THREADS", "0"),
    ("DRAIN_SECONDS", "-1"),
    ("BACKGROUND_ADDRESS", "9101"),
    ("BACKGROUND_ADDRESS", "127.0.0.1:0"),
    ("PASSWORD_HASHING_THREADS", "0"),
    ("REQUEST_BODY_SECONDS", "0"),
    ("OAUTH_STATE_SECONDS", "0"),
    ("PENDING_CONNECTION_SECONDS", MARK),
    ("REVOCATION_FIRST_RETRY_SECONDS", "-1"),
    ("REVOCATION_GIVE_UP_SECONDS", "ten"),
    ("REVOCATION_LEASE_SECONDS", "0"),
    ("PUBLISH_FIRST_RETRY_SECONDS", "soon"),
    ("PUBLISH_GIVE_UP_SECONDS", "-1"),
    ("PUBLISH_LEASE_SECONDS", "0"),
    ("REVOCATION_THREADS", "0"),
    ("REVOCATION_PLATFORM_LIMIT", "0"),
    ("EVENT_ALLOWED_NETWORKS", "10.0.0.1/8"),
    ("EVENT_ALLOWED_NETWORKS", "intranet"),
    ("IMAGE_ALLOWED_NETWORKS", "intranet"),
    ("EVENT_RETENTION_DAYS", "0"),
    ("EVENT_RETRY_SECONDS", "5,soon"),
    ("EVENT_RETRY_SECONDS", "-1"),
    ("EVENT_GIVE_UP_SECONDS", "-1"),
    ("EVENT_LEASE_SECONDS", "0"),
    ("EVENT_THREADS", "0"),
    ("EVENT_ENDPOINT_LIMIT", "0"),
    ("ATTENTION_EMAILS", MARK),
    ("ATTENTION_EMAILS", "maybe"),
    ("EMAIL_LANGUAGE", MARK),
    ("EMAIL_BACKEND", f"no_such_{MARK}.Backend"),
    ("EMAIL_PORT", "0"),
    ("EMAIL_USE_TLS", MARK),
    ("EMAIL_USE_SSL", MARK),
    ("EMAIL_TIMEOUT", "0"),
    ("DEFAULT_FROM_EMAIL", MARK),
    ("BRAND_LOGO", f"/nowhere/{MARK}.svg"),
    ("BRAND_LOGO", os.devnull),
    ("CONNECT_SESSION_SECONDS", "0"),
    ("BACKGROUND_ADDRESS", f"{MARK}:0"),
    ("BACKGROUND_ADDRESS", "*:9101"),
    ("BACKGROUND_ADDRESS", f".{MARK}.example.com:9101"),
    ("RETURN_URL_ORIGINS", f"https://{MARK}.example.com/back"),
    ("RETURN_URL_ORIGINS", "*"),
    ("REFRESH_LEASE_SECONDS", "0"),
    ("ISSUER_KEYS_SECONDS", "-1"),
    ("ISSUER_KEYS_KEEP_SECONDS", MARK),
    ("IDENTITY_ISSUERS", f"/nowhere/{MARK}.toml"),
    ("LOCAL_LOGIN", MARK),
    ("ADMIN_OIDC_ISSUER", MARK),
    ("RATE_LIMIT_API_READ", MARK),
    ("CORS_ALLOWED_ORIGINS", "*"),
    ("CORS_ALLOWED_ORIGINS", f"https://*.{MARK}.example.com"),
    ("CORS_ALLOWED_ORIGINS", f"https://{MARK}.example.com/"),
    ("CORS_ALLOWED_ORIGINS", f"https://{MARK}.example.com:443"),
    ("CORS_ALLOWED_ORIGINS", f"https://{MARK.upper()}.example.com"),
    ("CORS_ALLOWED_ORIGINS", "null"),
    ("ACCESS_TOKEN_SECONDS", "9" * 30),
    ("SOCIAL_TOKEN_RETENTION_DAYS", "999999999"),
    ("JOB_RETENTION_DAYS", "-1"),
    ("PUBLISH_RETENTION_DAYS", "a year"),
    ("OUTBOUND_PROXY", f"{MARK}:3128"),
    ("OUTBOUND_PROXY", f"socks5://{MARK}:1080"),
    ("OUTBOUND_PROXY", f"http://user:{MARK}@"),
    # Credentials that would not be sent, or not be written down.
    ("OUTBOUND_PROXY", f"http://{MARK}@proxy.example.com:3128"),
    ("OUTBOUND_PROXY", f"http://:{MARK}@proxy.example.com:3128"),
    ("OUTBOUND_PROXY", f"http://user:{MARK}%E2%82%AC@proxy.example.com:3128"),
    ("OAUTH_SCHWAB_REDIRECT_URIS", f"/{MARK}"),
    ("OAUTH_SCHWAB_REDIRECT_URIS", f"https://{MARK}.example.com/#fragment"),
    ("OAUTH_SCHWAB_REDIRECT_URIS", f"https://[{MARK}"),
]

# The text of a file, given where its path should stand: no path has as many characters.
WRONG += [
    (name, f"{MARK}\n" * 500)
    for name in (
        *("AUDIT_HEADS_FILE", "AUDIT_TIMESTAMP_ROOTS", "STATIC_ROOT", "OAUTH_CATALOG"),
        *("IDENTITY_ISSUERS", "PROMETHEUS_MULTIPROC_DIR"),
        *("REQUESTS_CA_BUNDLE", "EMAIL_FILE_PATH"),
    )
]
WRONG += [("BRAND_LOGO", f"{MARK}{'x' * 300}.svg"), ("EMAIL_BACKEND", f".{MARK}.Backend")]

# Tokens, names and what a mail server alone can judge.
ANY_TEXT = {
    *("METRICS_TOKEN", "BRAND_NAME"),
    *("EMAIL_HOST", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD"),
    *("ADMIN_OIDC_CLIENT_ID", "ADMIN_OIDC_CLIENT_SECRET", "ADMIN_OIDC_GROUPS_CLAIM"),
    *("ADMIN_OIDC_OPERATORS_GROUP", "ADMIN_OIDC_AUDITORS_GROUP", "ADMIN_OIDC_REQUIRED_AMR"),
}


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_named_and_not_shown(name: str, value: str) -> None:
    words = refusal(**{name: value})
    assert words.startswith(f"Configuration: {name} is wrong: ")
    assert "\n" not in words
    assert MARK not in words


@pytest.mark.parametrize("yes", ["true", "TRUE", "1", "yes", "Yes", "on", " On "])
def test_a_boolean_may_be_spelt_in_many_ways(yes: str) -> None:
    assert load(DEBUG=yes)["DEBUG"] is True


@pytest.mark.parametrize("no", ["false", "False", "0", "no", "NO", "off", "oFF"])
def test_so_may_its_opposite(no: str) -> None:
    settings = load(DEBUG=no, ADMIN_TOTP_REQUIRED=no)
    assert settings["DEBUG"] is settings["ADMIN_TOTP_REQUIRED"] is False


def test_every_variable_is_tried_here() -> None:
    read = set(re.findall(r'_env\.\w+\(\s*"([A-Z_]+)"', SETTINGS.read_text(encoding="utf-8")))
    # That of a proxy's exceptions is read beside a proxy alone; see below.
    assert read - {name for name, _ in WRONG} - {"NO_PROXY"} == ANY_TEXT


GOOD = [
    ("ALLOWED_HOSTS", "a.example.com, .example.org,*,[::1],127.0.0.1,under_score"),
    ("CSRF_TRUSTED_ORIGINS", "https://a.example.com,https://*.example.com,http://localhost:3000"),
    ("DATABASE_URL", "postgres://user:p%40ss@db.example.com:5433/name?sslmode=require"),
    ("DATABASE_URL", "sqlite:////var/lib/connections/db.sqlite3"),
    ("REDIS_URL", "rediss://:word@cache.example.com:6380/2"),
    ("REDIS_URL", "unix:///run/redis.sock"),
    ("CELERY_BROKER_URL", "sqla+postgresql://user@db.example.com/broker"),
    ("BACKGROUND_ADDRESS", "[::1]:9101"),
    ("CREDENTIAL_KEYS", ",".join(base64.urlsafe_b64encode(os.urandom(32)).decode() for _ in "ab")),
    ("AUDIT_SIGNING_KEY", base64.urlsafe_b64encode(b"\xff" * 32).decode().rstrip("=")),
    ("AUDIT_PUBLIC_KEYS", ",".join(base64.b64encode(os.urandom(32)).decode() for _ in "ab")),
    ("PUBLIC_URL", "http://[::1]:8000/prefix/"),
    ("CORS_ALLOWED_ORIGINS", "https://app.example.com,http://localhost:3000"),
    ("OUTBOUND_PROXY", "http://user:p%40ss@proxy.example.com:3128/"),
    ("OUTBOUND_PROXY", "https://token:@proxy.example.com"),
    ("OUTBOUND_PROXY", "http://proxy.example.com:3128"),
]


# Keys are made afresh, so that values are no names for tests.
@pytest.mark.parametrize(("name", "value"), GOOD, ids=range(len(GOOD)))
def test_a_value_that_is_right_is_taken(name: str, value: str) -> None:
    load(**{name: value})


PROXY = "http://proxy.example.com:3128"
HOSTS = "localhost, 127.0.0.1,[::1]:80,.example.com,*.example.org:8443,10.0.0.0/8,*"
NO_HOSTS = (
    ",",
    f"example.com,https://{MARK}.example.com",
    f"{MARK}.example.com {MARK}.example.org",
)


def test_exceptions_of_a_proxy_are_taken() -> None:
    assert len(load(OUTBOUND_PROXY=PROXY, NO_PROXY=HOSTS)["OUTBOUND_PROXY"].exceptions) == 7


@pytest.mark.parametrize("value", NO_HOSTS)
def test_exceptions_of_a_proxy_that_are_no_hosts_stop_the_start(value: str) -> None:
    words = refusal(OUTBOUND_PROXY=PROXY, NO_PROXY=value)
    assert "NO_PROXY" in words
    assert MARK not in words


def test_exceptions_of_no_proxy_of_ours_are_left_to_others() -> None:
    assert load(NO_PROXY="localhost,10.*,<local>")["OUTBOUND_PROXY"].exceptions == ()


def test_a_database_address_is_taken_apart() -> None:
    url = "postgres://user:p%40ss@db.example.com:5433/name?sslmode=require"
    database = load(DATABASE_URL=url)["DATABASES"]["default"]
    assert database["ENGINE"] == "connections_project.core.postgresql"
    assert (database["USER"], database["PASSWORD"]) == ("user", "p@ss")
    assert (database["HOST"], database["PORT"], database["NAME"]) == (
        "db.example.com",
        5433,
        "name",
    )
    assert database["OPTIONS"]["sslmode"] == "require"


def test_processes_sharing_redis_share_metrics(tmp_path: Path) -> None:
    assert load()["METRICS_FOLDER"] is None
    shared = load(REDIS_URL="redis://127.0.0.1/0")["METRICS_FOLDER"]
    assert shared.parent == tmp_path
    assert shared.stat().st_mode & 0o777 == 0o700
    named = load(PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "named"))["METRICS_FOLDER"]
    assert named == tmp_path / "named"


def test_other_databases_beside_the_metrics_stay(tmp_path: Path) -> None:
    ours = [tmp_path / name for name in ("counter_4194305.db", "histogram_dead.db")]
    others = [tmp_path / name for name in ("app.db", "counter_of_visits.db", "db.sqlite3")]
    for path in (*ours, *others):
        path.touch()
    load(PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    assert [path.exists() for path in (*ours, *others)] == [False, False, True, True, True]


def test_timestamps_need_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections_project.conf.environment.find_spec", lambda _: None)
    words = refusal(AUDIT_TIMESTAMP_URL="https://tsa.example.com")
    assert "AUDIT_TIMESTAMP_URL needs a package" in words
    assert "pip install -r requirements-timestamps.txt" in words
