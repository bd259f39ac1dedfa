"""Static files: as they are in the packages, or named after their content once collected."""

from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client

from connections_project.core.staticfiles import CollectedFiles


@pytest.fixture
def root(settings: LazySettings, tmp_path: Path) -> Path:
    settings.STATIC_ROOT = tmp_path
    return tmp_path


def test_uncollected_files_keep_their_names(root: Path) -> None:
    assert CollectedFiles().url("admin/css/base.css") == "/static/admin/css/base.css"


@pytest.mark.django_db  # The end of a request looks after the connections of the tests before.
def test_collected_files_are_hashed_and_immutable(root: Path, settings: LazySettings) -> None:
    call_command("collectstatic", interactive=False, stdout=(said := StringIO()))
    assert "Found another file" not in said.getvalue()
    url = CollectedFiles().url("admin/css/base.css")
    assert url.startswith("/static/admin/css/base.")
    assert url != "/static/admin/css/base.css"
    settings.WHITENOISE_USE_FINDERS = False
    settings.WHITENOISE_AUTOREFRESH = False
    answer = Client(headers={"Accept-Encoding": "gzip"}).get(url)
    assert answer.status_code == 200
    assert "immutable" in answer["Cache-Control"]
    assert answer["Content-Encoding"] == "gzip"
    answer.close()
