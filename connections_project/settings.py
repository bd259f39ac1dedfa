"""Settings of the service; docs/settings.md lists every variable.

Nothing here has a built-in key. Outside DEBUG whatever is missing or wrong stops the start.
"""

import os
import secrets
import sys
from pathlib import Path
from urllib.parse import quote

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from connections_project.conf import values as values
from connections_project.conf.applications import MIDDLEWARE as MIDDLEWARE
from connections_project.conf.applications import installed_apps
from connections_project.conf.caches import LOGIN_ATTEMPTS, caches
from connections_project.conf.cors import (
    CORS_ALLOW_CREDENTIALS as CORS_ALLOW_CREDENTIALS,
)
from connections_project.conf.cors import (
    CORS_ALLOW_HEADERS as CORS_ALLOW_HEADERS,
)
from connections_project.conf.cors import (
    CORS_ALLOW_METHODS as CORS_ALLOW_METHODS,
)
from connections_project.conf.cors import (
    CORS_EXPOSE_HEADERS as CORS_EXPOSE_HEADERS,
)
from connections_project.conf.cors import (
    CORS_PREFLIGHT_MAX_AGE as CORS_PREFLIGHT_MAX_AGE,
)
from connections_project.conf.cors import (
    CORS_URLS_REGEX as CORS_URLS_REGEX,
)
from connections_project.conf.databases import described
from connections_project.conf.environment import Environment, read_env_file
from connections_project.conf.logging import logging_to_stderr
from connections_project.conf.metrics_folder import default_folder
from connections_project.conf.openapi import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from connections_project.conf.rest_framework import REST_FRAMEWORK as REST_FRAMEWORK
from connections_project.conf.rest_framework import simple_jwt
from connections_project.conf.templates import templates
from connections_project.core.logs import fatal, log_what_is_printed_otherwise
from connections_project.core.request_body import LARGEST_BODY
from connections_project.oauth.proxy import OutboundProxy

CLOCK_LEEWAY = 10  # seconds by which the clocks of hosts may differ

BASE_DIR = Path(__file__).resolve().parent.parent
_env = Environment(os.environ)

try:
    read_env_file(os.environ.get("ENV_FILE") or ".env")
    DEBUG = _env.flag("DEBUG", default=False)

    # Keys. In DEBUG a missing one is made up for this process alone (check connections.W001 warns).
    SECRET_KEY = _env.required(
        "SECRET_KEY", hint="give 50 random characters", unless=DEBUG
    ) or secrets.token_urlsafe(50)
    if len(SECRET_KEY.encode()) < 32 and not DEBUG:
        # RFC 7518, section 3.2: an HS256 key has at least 256 bits.
        raise ImproperlyConfigured("SECRET_KEY is wrong: it must have at least 32 characters")
    _env.required("CREDENTIAL_KEYS", hint="give a Fernet key", unless=DEBUG)
    CREDENTIAL_KEYS = _env.fernet_keys("CREDENTIAL_KEYS") or [Fernet.generate_key().decode()]
    for _name in ("AUDIT_SIGNING_KEY", "RECEIPT_SIGNING_KEY"):
        _env.required(_name, hint="give the base64 of 32 random bytes", unless=DEBUG)
    AUDIT_SIGNING_KEY = _env.ed25519_seed("AUDIT_SIGNING_KEY") or secrets.token_bytes(32)
    RECEIPT_SIGNING_KEY = _env.ed25519_seed("RECEIPT_SIGNING_KEY") or secrets.token_bytes(32)
    # Their predecessors' public halves: what those signed stays verifiable.
    AUDIT_PUBLIC_KEYS = _env.ed25519_public_keys("AUDIT_PUBLIC_KEYS")
    RECEIPT_PUBLIC_KEYS = _env.ed25519_public_keys("RECEIPT_PUBLIC_KEYS")
    # Who dates the log's seals, and who is believed to have dated them.
    AUDIT_TIMESTAMP_URL = _env.timestamp_url("AUDIT_TIMESTAMP_URL")
    AUDIT_TIMESTAMP_ROOTS = _env.certificates("AUDIT_TIMESTAMP_ROOTS")
    AUDIT_HEADS_FILE = _env.written_file("AUDIT_HEADS_FILE", BASE_DIR / "audit-heads.jsonl")

    # Where the service stands.
    _env.required("ALLOWED_HOSTS", hint="name the hosts that are served", unless=DEBUG)
    ALLOWED_HOSTS = _env.hosts("ALLOWED_HOSTS")
    CSRF_TRUSTED_ORIGINS = _env.origins("CSRF_TRUSTED_ORIGINS")
    _env.required("PUBLIC_URL", hint="give the service's own address, https://…", unless=DEBUG)
    PUBLIC_URL = _env.web_address("PUBLIC_URL", "https://localhost:8000").rstrip("/")
    TRUSTED_PROXY_COUNT = _env.whole_number("TRUSTED_PROXY_COUNT", 0, least=0)
    PROBLEM_TYPE_BASE_URL = _env.web_address(
        "PROBLEM_TYPE_BASE_URL", "https://api.dashtam.com/errors/"
    )

    # What it stands on.
    _database = described(
        _env.database("DATABASE_URL", f"sqlite:///{quote(str(BASE_DIR / 'db.sqlite3'))}"),
        pool_size=_env.whole_number("DATABASE_POOL_SIZE", 20, least=0, most=10_000),
        # PostgreSQL counts milliseconds, in a signed number of 32 bits.
        statement_seconds=_env.whole_number(
            "DATABASE_STATEMENT_TIMEOUT_SECONDS", 30, least=0, most=(2**31 - 1) // 1000
        ),
    )
    REDIS_URL = _env.redis_url("REDIS_URL")
    CELERY_BROKER_URL = _env.broker_url("CELERY_BROKER_URL", values.broker_at(REDIS_URL))

    # Requests that one web process answers at a time; those whose bodies still come don't count.
    WEB_THREADS = _env.whole_number("WEB_THREADS", 16, least=1, most=1000)
    # How long a web process that is to end goes on answering, so that proxies notice.
    DRAIN_SECONDS = _env.whole_number("DRAIN_SECONDS", 0 if DEBUG else 5, least=0, most=600)
    # How many of these may wait for other people's servers, as a share.
    OUTBOUND_SHARE = _env.share("OUTBOUND_SHARE", 0.25)

    # Times in seconds, so that they can be tried.
    REQUEST_BODY_SECONDS = _env.whole_number("REQUEST_BODY_SECONDS", 30, least=1)
    OAUTH_STATE_SECONDS = _env.whole_number("OAUTH_STATE_SECONDS", 600, least=1)
    PENDING_CONNECTION_SECONDS = _env.whole_number("PENDING_CONNECTION_SECONDS", 600, least=1)
    REVOCATION_FIRST_RETRY_SECONDS = _env.whole_number(
        "REVOCATION_FIRST_RETRY_SECONDS", 30, least=0
    )
    REVOCATION_GIVE_UP_SECONDS = _env.whole_number("REVOCATION_GIVE_UP_SECONDS", 86400, least=0)
    REVOCATION_LEASE_SECONDS = _env.whole_number("REVOCATION_LEASE_SECONDS", 30, least=1)
    PUBLISH_FIRST_RETRY_SECONDS = _env.whole_number("PUBLISH_FIRST_RETRY_SECONDS", 10, least=0)
    PUBLISH_GIVE_UP_SECONDS = _env.whole_number("PUBLISH_GIVE_UP_SECONDS", 86400, least=0)
    # Besides global addresses, where pictures are fetched from.
    IMAGE_ALLOWED_NETWORKS = _env.networks("IMAGE_ALLOWED_NETWORKS", loopback=False)
    PUBLISH_LEASE_SECONDS = _env.whole_number("PUBLISH_LEASE_SECONDS", 30, least=1)
    REFRESH_LEASE_SECONDS = _env.whole_number("REFRESH_LEASE_SECONDS", 15, least=1)
    ACCESS_TOKEN_SECONDS = _env.whole_number("ACCESS_TOKEN_SECONDS", 900, least=1)
    SOCIAL_TOKEN_RETENTION_DAYS = _env.whole_number(
        "SOCIAL_TOKEN_RETENTION_DAYS", 90, least=0, most=36_500
    )
    # 0 keeps them for ever.
    JOB_RETENTION_DAYS = _env.whole_number("JOB_RETENTION_DAYS", 400, least=0, most=36_500)
    PUBLISH_RETENTION_DAYS = _env.whole_number("PUBLISH_RETENTION_DAYS", 0, least=0, most=36_500)

    # Whose people come in: those of external issuers, and, unless it is off, those with a password.
    IDENTITY = _env.identity("IDENTITY_ISSUERS")
    ISSUER_KEYS_SECONDS = _env.whole_number("ISSUER_KEYS_SECONDS", 300, least=0)
    ISSUER_KEYS_KEEP_SECONDS = _env.whole_number("ISSUER_KEYS_KEEP_SECONDS", 86400, least=0)
    LOCAL_LOGIN = _env.flag("LOCAL_LOGIN", default=True)

    # Who signs operators in besides the service itself.
    ADMIN_OIDC = _env.single_sign_on(
        issuer=_env.text("ADMIN_OIDC_ISSUER"),
        client_id=_env.text("ADMIN_OIDC_CLIENT_ID"),
        client_secret=_env.text("ADMIN_OIDC_CLIENT_SECRET"),
        groups_claim=_env.text("ADMIN_OIDC_GROUPS_CLAIM", "groups"),
        operators_group=_env.text("ADMIN_OIDC_OPERATORS_GROUP"),
        auditors_group=_env.text("ADMIN_OIDC_AUDITORS_GROUP"),
        required_amr=_env.text("ADMIN_OIDC_REQUIRED_AMR"),
    )

    RATE_LIMITS = _env.rate_limits()
    # Front ends of other origins that may call the API from a browser.
    CORS_ALLOWED_ORIGINS = _env.browser_origins("CORS_ALLOWED_ORIGINS")

    # How many revocations one worker tries at a time, and all workers together at one platform.
    REVOCATION_THREADS = _env.whole_number("REVOCATION_THREADS", 32, least=1, most=1000)
    REVOCATION_PLATFORM_LIMIT = _env.whole_number(
        "REVOCATION_PLATFORM_LIMIT", 8, least=1, most=1000
    )

    # How many threads of a process look at passwords at a time.
    PASSWORD_HASHING_THREADS = _env.whole_number("PASSWORD_HASHING_THREADS", 2, least=1, most=1000)

    # What the host application is told: events.
    EVENT_ALLOWED_NETWORKS = _env.networks("EVENT_ALLOWED_NETWORKS", loopback=DEBUG)
    EVENT_RETENTION_DAYS = _env.whole_number("EVENT_RETENTION_DAYS", 30, least=1, most=36_500)
    EVENT_RETRY_SECONDS = _env.waits(
        "EVENT_RETRY_SECONDS", (5, 30, 120, 600, 3600, 10_800, 21_600, 43_200)
    )
    EVENT_GIVE_UP_SECONDS = _env.whole_number("EVENT_GIVE_UP_SECONDS", 5 * 86400, least=0)
    EVENT_LEASE_SECONDS = _env.whole_number("EVENT_LEASE_SECONDS", 30, least=1)
    EVENT_THREADS = _env.whole_number("EVENT_THREADS", 32, least=1, most=1000)
    EVENT_ENDPOINT_LIMIT = _env.whole_number("EVENT_ENDPOINT_LIMIT", 8, least=1, most=1000)

    # The pages for people, and what is sent to them.
    BRAND_NAME = _env.text("BRAND_NAME", "Connections")
    BRAND_LOGO = _env.image("BRAND_LOGO")
    CONNECT_SESSION_SECONDS = _env.whole_number("CONNECT_SESSION_SECONDS", 1800, least=1)
    RETURN_URL_ORIGINS = _env.browser_origins("RETURN_URL_ORIGINS")
    # Django's own settings of e-mail.
    ATTENTION_EMAILS = _env.flag("ATTENTION_EMAILS", default=False)
    EMAIL_LANGUAGE = _env.one_of("EMAIL_LANGUAGE", "en", "de")
    EMAIL_BACKEND = _env.parsed(
        "EMAIL_BACKEND",
        "django.core.mail.backends.smtp.EmailBackend",
        values.mail_backend,
        "the dotted path of a class of Django's",
    )
    EMAIL_FILE_PATH = _env.path("EMAIL_FILE_PATH", None, values.folder, "the path of a folder")
    EMAIL_HOST = _env.text("EMAIL_HOST", "localhost")
    EMAIL_PORT = _env.whole_number("EMAIL_PORT", 25, least=1, most=65535)
    EMAIL_HOST_USER = _env.text("EMAIL_HOST_USER")
    EMAIL_HOST_PASSWORD = _env.text("EMAIL_HOST_PASSWORD")
    EMAIL_USE_TLS = _env.flag("EMAIL_USE_TLS", default=False)
    EMAIL_USE_SSL = _env.flag("EMAIL_USE_SSL", default=False)
    if EMAIL_USE_TLS and EMAIL_USE_SSL:
        raise ImproperlyConfigured("EMAIL_USE_SSL is wrong: it is on, and EMAIL_USE_TLS too")
    EMAIL_TIMEOUT = _env.whole_number("EMAIL_TIMEOUT", 10, least=1, most=20)
    if ATTENTION_EMAILS:
        _env.required("DEFAULT_FROM_EMAIL", hint="give the sender's address", unless=DEBUG)
    DEFAULT_FROM_EMAIL = _env.parsed(
        "DEFAULT_FROM_EMAIL", "webmaster@localhost", values.mail_address, "an e-mail address"
    )
    LOG_FORMAT = _env.one_of("LOG_FORMAT", "console", "json")
    METRICS_TOKEN = _env.text("METRICS_TOKEN")
    # Where Redis is shared there may be more processes than one, and a scrape reaches any of them.
    METRICS_FOLDER = _env.metrics_folder(
        "PROMETHEUS_MULTIPROC_DIR", default_folder(str(BASE_DIR), PUBLIC_URL) if REDIS_URL else ""
    )
    # Where workers, beat and run_background answer probes and scrapes; nowhere by default.
    BACKGROUND_ADDRESS = _env.listen_address("BACKGROUND_ADDRESS")
    STATIC_ROOT = _env.folder("STATIC_ROOT", BASE_DIR / "staticfiles")
    ADMIN_TOTP_REQUIRED = _env.flag("ADMIN_TOTP_REQUIRED", default=not DEBUG)

    # The apps, among them those of connection types: CONTRIBUTING has the recipe.
    EXTRA_APPS = _env.listed("EXTRA_APPS", values.installed_module, "modules that are installed")
    INSTALLED_APPS = installed_apps(EXTRA_APPS)

    # Through which calls to other people's servers go, if not directly.
    _proxy = _env.proxy_url("OUTBOUND_PROXY")
    # Containers are often given one for other programs, in forms of theirs.
    OUTBOUND_PROXY = OutboundProxy(_proxy, _env.host_patterns("NO_PROXY") if _proxy else ())
    # By which authorities, if not by public ones.
    _env.export_authorities("REQUESTS_CA_BUNDLE")

    # Laid over the catalogue that the apps ship, and the clients that are registered there.
    CATALOG_FILES = _env.files("OAUTH_CATALOG")
    OAUTH_CLIENTS = _env.oauth_clients()
except ImproperlyConfigured as _error:
    # A traceback would hide the one line that says what to correct.
    sys.exit(fatal(f"Configuration: {_error}", log_format=_env.text("LOG_FORMAT")))

MISSING_KEYS = [
    name
    for name in ("SECRET_KEY", "CREDENTIAL_KEYS", "AUDIT_SIGNING_KEY", "RECEIPT_SIGNING_KEY")
    if not _env.text(name)
]

ROOT_URLCONF = "connections_project.urls"
WSGI_APPLICATION = "connections_project.wsgi.application"

TEMPLATES = templates(BASE_DIR / "templates")

DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = caches(REDIS_URL)
RATELIMIT_USE_CACHE = LOGIN_ATTEMPTS

# Who may come in.
AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = [
    "connections_project.identity.backends.PrincipalBackend",
    "connections_project.identity.single_sign_on.backend.SingleSignOnBackend",
]
PASSWORD_HASHERS = [
    "connections_project.identity.hashing.PasswordHasher",
    # What earlier releases have stored.
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "sign-in"
SIMPLE_JWT = simple_jwt(SECRET_KEY, lifetime=ACCESS_TOKEN_SECONDS)

# RequestBodyMiddleware refuses larger ones before Django reads them.
DATA_UPLOAD_MAX_MEMORY_SIZE = LARGEST_BODY
# No form has files.
DATA_UPLOAD_MAX_NUMBER_FILES = 0

# Headers that guard the pages. TLS ends at granian or at a proxy; the API never redirects plain
# HTTP, since a client that sent a token in the clear must notice (so W008 doesn't apply).
SESSION_ENGINE = "connections_project.identity.session_store"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
# "no-referrer" would have browsers post the admin's forms with `Origin: null`, which CSRF refuses.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The others ask for middleware that PageMiddleware has.
SILENCED_SYSTEM_CHECKS = [
    *("security.W008", "security.W003"),
    *("admin.E408", "admin.E409", "admin.E410"),
]

# The pages for people speak that of the browser (core/languages.py).
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "connections_project" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = ["connections_project.conf.formats"]

STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "connections_project.core.staticfiles.CollectedFiles"},
}
WHITENOISE_USE_FINDERS = DEBUG or not (STATIC_ROOT / "staticfiles.json").exists()
WHITENOISE_AUTOREFRESH = DEBUG

LOGGING = logging_to_stderr(LOG_FORMAT)
if LOG_FORMAT == "json":
    log_what_is_printed_otherwise()
