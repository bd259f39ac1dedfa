"""Settings of Django REST framework and its JWTs."""

from datetime import timedelta
from typing import Any

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "connections_project.identity.authentication.PrincipalAuthentication"
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["connections_project.api.renderers.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "connections_project.api.error_routing.drf_exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": None,
}


def simple_jwt(signing_key: str, *, lifetime: int) -> dict[str, Any]:
    """Describe the access and refresh tokens of local sign-ins.

    Args:
        lifetime: Of an access token, in seconds.
    """
    return {
        "ACCESS_TOKEN_LIFETIME": timedelta(seconds=lifetime),
        "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
        "ALGORITHM": "HS256",
        "SIGNING_KEY": signing_key,
        "USER_ID_FIELD": "id",
        "USER_ID_CLAIM": "principal_id",
        "UPDATE_LAST_LOGIN": False,
    }
