"""A database in which nothing is yet, and the keys of the recorded rows."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from tests.upgrade.keys import AUDIT_SEED, CREDENTIAL_KEY


@pytest.fixture
def recorded_keys(settings: LazySettings) -> None:
    settings.CREDENTIAL_KEYS = [CREDENTIAL_KEY]
    settings.AUDIT_SIGNING_KEY = AUDIT_SEED


@pytest.fixture(scope="module")
def empty_database(
    django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Have the default connection lead to a new database, which is gone afterwards."""
    made = (
        _postgresql()
        if connection.vendor == "postgresql"
        else _sqlite(tmp_path_factory.mktemp("upgrade"))
    )
    with django_db_blocker.unblock(), made:
        yield


@contextmanager
def _sqlite(folder: Path) -> Iterator[None]:
    with _leading_to(str(folder / "upgrade.sqlite3")):
        yield


@contextmanager
def _postgresql() -> Iterator[None]:
    name = f"test_upgrade_{os.getpid()}"
    _administer(f"CREATE DATABASE {name}")
    try:
        with _leading_to(name):
            yield
    finally:
        _administer(f"DROP DATABASE {name} WITH (FORCE)")


def _administer(statement: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def _leading_to(name: str) -> Iterator[None]:
    usual = connection.settings_dict["NAME"]
    _reconnect(name)
    try:
        yield
    finally:
        _reconnect(usual)


def _reconnect(name: str) -> None:
    connection.close()
    # PostgreSQL's connections wait in a pool, and lead where they led.
    close_pool: Callable[[], None] = getattr(connection, "close_pool", lambda: None)
    close_pool()
    connection.settings_dict["NAME"] = name
    # Django keeps their ids, which are others in each database.
    ContentType.objects.clear_cache()
