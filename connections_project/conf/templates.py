"""How pages are made of templates."""

from pathlib import Path
from typing import Any


def templates(folder: Path) -> list[dict[str, Any]]:
    """Return Django's description of the templates of a folder and of the apps."""
    processors = [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]
    return [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [folder],
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": processors},
        }
    ]
