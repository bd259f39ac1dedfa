"""social-app-django (python-social-auth.readthedocs.io, "Django Framework")."""

from bench.peers.base import *  # noqa: F403
from bench.peers.base import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "social_django"]
AUTHENTICATION_BACKENDS = [
    "social_core.backends.github.GithubOAuth2",
    "django.contrib.auth.backends.ModelBackend",
]
SOCIAL_AUTH_JSONFIELD_ENABLED = True
LOGIN_REDIRECT_URL = "/"
ROOT_URLCONF = "bench.peers.social_urls"
