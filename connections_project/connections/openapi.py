"""What the connection types add to the OpenAPI document."""

from typing import Any

from connections_project.connections.registry import Api, connection_types

TAGS = [
    {"name": "sign-in", "description": "Who you are: tokens for people and for services."},
    {"name": "platforms", "description": "What can be connected."},
    {"name": "connections", "description": "The caller's connections of all apps."},
    {"name": "events", "description": "What happened, for the host application."},
    {"name": "receipts", "description": "Signed proof of how a connection was ended."},
]


def _apis() -> list[Api]:
    return [one.api for one in connection_types() if one.api]


def enum_names() -> dict[str, Any]:
    """Return what choices are called, of all connection types."""
    general = {
        "PlatformStatus": ["active", "planned", "unsupported"],
        "App": "connections_project.platforms.views.APPS",
    }
    return general | {name: enum for api in _apis() for name, enum in api.enums.items()}


def add_tags(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the tags of the connection types (one of the POSTPROCESSING_HOOKS)."""
    of_types = [
        {"name": name, "description": text} for api in _apis() for name, text in api.tags.items()
    ]
    result["tags"] = [*TAGS[:2], *of_types, *TAGS[2:]]
    return result
