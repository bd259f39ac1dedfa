"""The Django apps, and what each request goes through."""

from collections.abc import Iterable

MIDDLEWARE = [
    "connections_project.middleware.tracing.TraceMiddleware",
    "connections_project.middleware.access_log.ObservationMiddleware",
    "connections_project.middleware.outbound.OutboundMiddleware",
    "connections_project.middleware.trusted_proxies.ForwardedProtoMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "connections_project.middleware.content_security.ContentSecurityMiddleware",
    "connections_project.middleware.cors.CorsMiddleware",
    "connections_project.api.error_routing.ErrorRoutingMiddleware",
    "connections_project.middleware.request_bodies.RequestBodyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "connections_project.middleware.storable_text.StorableTextMiddleware",
    "connections_project.middleware.hosts.CommonMiddleware",
    "connections_project.middleware.outage.OutageMiddleware",
    "connections_project.middleware.pages.PageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "connections_project.admin.time_zone.TimeZoneMiddleware",
]


APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "audit",
    "connections_project",
    "connections_project.identity",
    "connections_project.platforms",
    "connections_project.revocation",
    "connections_project.metrics",
    "providers",
    "channels",
    "social",
]
# They look for what the connection types before them have registered.
APPS_BEHIND = [
    "connections_project.events",
    "connections_project.pages",
    "connections_project.operations",
    "connections_project.scim",
    "connections_project.webhooks",
    "connections_project.admin.apps.OperatorsAdminConfig",
]


def installed_apps(extra: Iterable[str]) -> list[str]:
    """Return the apps, with those of connection types from elsewhere."""
    return [*APPS, *extra, *APPS_BEHIND]
