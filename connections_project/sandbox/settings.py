"""Settings of the sandbox, a project of its own: nothing of the service is installed here.

Its keys and passwords guard nothing but made-up money, so it must never stand beside real data:
with DEBUG off in the environment these settings refuse to load.
"""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from connections_project.conf.environment import Environment
from connections_project.sandbox.catalogue import DEFAULT_URL
from connections_project.sandbox.issuer_key import fresh_rsa_key
from connections_project.sandbox.scopes import SCOPES

BASE_DIR = Path(__file__).resolve().parents[2]
_env = Environment(os.environ)

if not _env.flag("DEBUG", default=False):
    raise ImproperlyConfigured("DEBUG is off: the sandbox is for development only")

# Pages that show settings and tracebacks would show tokens too, so the sandbox never has them.
DEBUG = False
# Sessions needn't outlive this process.
SECRET_KEY = secrets.token_urlsafe(50)
ALLOWED_HOSTS = ["localhost", "127.0.0.1", _env.text("SANDBOX_HOST", "127.0.0.1")]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "oauth2_provider",
    "connections_project.sandbox",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "connections_project.sandbox.urls"
WSGI_APPLICATION = "connections_project.sandbox.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": _env.written_file("SANDBOX_DATABASE", BASE_DIR / "sandbox.sqlite3"),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # What a power cut takes from here is made anew at the next start.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
        },
    }
}
# The people's passwords are printed at every start: a slow hash would protect nothing.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "home"
# Cookies know no port (RFC 6265, section 8.5): the service's own must not be overwritten.
SESSION_COOKIE_NAME = "sandbox_session"
CSRF_COOKIE_NAME = "sandbox_csrf"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

OAUTH2_PROVIDER = {
    "SCOPES": SCOPES,
    "PKCE_REQUIRED": True,
    "ACCESS_TOKEN_EXPIRE_SECONDS": _env.whole_number("SANDBOX_ACCESS_TOKEN_SECONDS", 1800, least=1),
    # RFC 9700, section 4.14.2: a refresh token that comes back after its use ends its family.
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    # The issuer of RFC 8414 and RFC 9207, whichever name of this host a browser used.
    "OIDC_ISS_ENDPOINT": _env.text("SANDBOX_ISSUER", DEFAULT_URL),
    "OIDC_ENABLED": True,
    "OIDC_RSA_PRIVATE_KEY": fresh_rsa_key(),
    "OIDC_RESPONSE_TYPES_SUPPORTED": ["code"],
    "OAUTH2_VALIDATOR_CLASS": "connections_project.sandbox.issuer.SignOnValidator",
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": ["code"],
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["authorization_code", "refresh_token"],
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # An authorization request's query carries the state, which must not stand in a log.
    "filters": {"no_query": {"()": "connections_project.core.logs.QueryFilter"}},
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(message)s"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "filters": ["no_query"], "formatter": "plain"}
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        name: {"handlers": ["stderr"], "level": "INFO", "propagate": False}
        for name in ("django", "django.server")
    },
}
