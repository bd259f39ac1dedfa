"""django-allauth headless (docs.allauth.org, "Headless", "Installation"), for apps."""

from bench.peers.base import *  # noqa: F403
from bench.peers.base import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [
    *INSTALLED_APPS,
    *("allauth", "allauth.account", "allauth.socialaccount", "allauth.headless"),
    "allauth.socialaccount.providers.github",
]
MIDDLEWARE = [*MIDDLEWARE, "allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("app",)
SOCIALACCOUNT_STORE_TOKENS = True
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
ROOT_URLCONF = "bench.peers.allauth_urls"
