"""Keys, and rows that hold sealed values."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.utils import timezone

from connections_project.core.ids import uuid7
from connections_project.core.vault import Sealed, seal
from connections_project.revocation.models import RevocationJob

SUBJECT = "connection:018f"
DATA = {"access_token": "the-access-token", "refresh_token": None}
MakeJob = Callable[..., RevocationJob]
UseKeys = Callable[..., None]


def sealed_of(job: RevocationJob) -> Sealed:
    """Return what the stored row holds now."""
    sealed = RevocationJob.objects.get(pk=job.pk).sealed_tokens
    assert sealed is not None
    return sealed


@pytest.fixture
def use_keys(settings: LazySettings) -> UseKeys:
    """Set the credential keys, newest first."""

    def use(*keys: str) -> None:
        settings.CREDENTIAL_KEYS = list(keys)

    return use


@pytest.fixture
def keys(use_keys: UseKeys) -> tuple[str, str]:
    """Two keys, of which the first, the old one, is in use."""
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    use_keys(old)
    return old, new


@pytest.fixture
def make_job(db: None) -> MakeJob:
    """Store a row with a sealed value; any sealed column would do."""

    def make(sealed: Sealed | None = None, **values: Any) -> RevocationJob:
        return RevocationJob.objects.create(
            app="providers",
            platform="bank",
            connection_id=uuid7(),
            owner_id=uuid7(),
            sealed_tokens=sealed or seal(DATA, subject=SUBJECT),
            created_at=timezone.now(),
            due_at=timezone.now(),
            **values,
        )

    return make
