"""What has been released stays as it is: a change of the schema is a migration of its own."""

import tomllib

import pytest
from django.db.migrations.loader import MigrationLoader

from tests.upgrade.release import ROOT, Release, digest, recorded_versions


@pytest.fixture(params=recorded_versions())
def release(request: pytest.FixtureRequest) -> Release:
    return Release.of(request.param)


def test_a_released_migration_is_never_edited(release: Release) -> None:
    changed = {
        name: "edited" if (ROOT / name).exists() else "gone"
        for name, known in release.sha256.items()
        if not (ROOT / name).exists() or digest(ROOT / name) != known
    }

    assert changed == {}


def test_every_recorded_migration_is_there(release: Release) -> None:
    graph = MigrationLoader(None).graph

    assert [one for one in release.migrations.items() if one not in graph.nodes] == []


def test_this_version_is_recorded() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["version"] in recorded_versions()
