"""Paths start in the project's folder, wherever a command is called from."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.conf.conftest import PRODUCTION, ROOT, load

SANDBOX = "connections_project/sandbox"
READERS = re.compile(
    r"_env\.(path|files|identity|image|\w*folder|written_file|certificates|database)\("
)
Held = Callable[[dict[str, Any]], Any]

# Of each setting that is a path: what makes it, and where its value is found.
HELD: dict[str, tuple[str, Held]] = {
    "AUDIT_HEADS_FILE": ("", lambda held: held["AUDIT_HEADS_FILE"]),
    "AUDIT_TIMESTAMP_ROOTS": ("pem", lambda held: held["AUDIT_TIMESTAMP_ROOTS"] and "named"),
    "BRAND_LOGO": ("png", lambda held: held["BRAND_LOGO"]),
    "DATABASE_URL": ("", lambda held: held["DATABASES"]["default"]["NAME"]),
    "EMAIL_FILE_PATH": ("", lambda held: held["EMAIL_FILE_PATH"]),
    "IDENTITY_ISSUERS": ("toml", lambda held: held["IDENTITY"].issuers and "named"),
    "OAUTH_CATALOG": ("toml", lambda held: held["CATALOG_FILES"][0]),
    "PROMETHEUS_MULTIPROC_DIR": ("", lambda held: held["METRICS_FOLDER"]),
    "STATIC_ROOT": ("", lambda held: held["STATIC_ROOT"]),
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "some" / "where" / "else"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)


def started(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in a process of its own, in the present folder."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=PRODUCTION | variables,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def relative(path: Path) -> str:
    """Return a path as it is seen from the project's folder."""
    return os.path.relpath(path, ROOT)


def made(path: Path, authority: trustme.CA) -> Path:
    content = {
        ".pem": authority.cert_pem.bytes(),
        ".toml": (ROOT / SANDBOX / "issuers.toml").read_bytes(),
        ".png": b"",
    }
    if path.suffix:
        path.write_bytes(content[path.suffix])
    return path


@pytest.mark.parametrize("name", HELD)
def test_a_path_starts_in_the_projects_folder(
    name: str, tmp_path: Path, authority: trustme.CA
) -> None:
    ending, held = HELD[name]
    path = made(tmp_path / f"a.{ending}" if ending else tmp_path / "a", authority)
    prefix = "sqlite:///" if name == "DATABASE_URL" else ""
    found = held(load(**{name: prefix + relative(path)}))
    assert found == "named" or Path(found).resolve() == path
    assert found == held(load(**{name: f"{prefix}{path}"})) or Path(found).is_absolute()


def test_these_are_all() -> None:
    settings = (ROOT / "connections_project" / "settings.py").read_text("utf-8")
    assert len(READERS.findall(settings)) == len(HELD)


def test_a_secrets_file_does(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(PRODUCTION["SECRET_KEY"], "utf-8")
    held = load(SECRET_KEY=None, SECRET_KEY_FILE=relative(tmp_path / "key"))
    assert held["SECRET_KEY"] == PRODUCTION["SECRET_KEY"]


def test_the_file_of_settings_does(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("BRAND_NAME=Example\n", "utf-8")
    assert load(ENV_FILE=relative(tmp_path / "env"))["BRAND_NAME"] == "Example"


def test_a_bundle_of_authorities_does(tmp_path: Path, authority: trustme.CA) -> None:
    path = made(tmp_path / "a.pem", authority)
    shown = (
        "import os, django; django.setup();"
        "from connections_project.oauth import guarded, transport;"
        "print(os.path.realpath(transport._session.verify))"
    )
    finished = started(
        "-c",
        shown,
        REQUESTS_CA_BUNDLE=relative(path),
        PYTHONPATH=str(ROOT),
        DJANGO_SETTINGS_MODULE="connections_project.settings",
    )
    assert finished.stdout.strip() == str(path), finished.stderr


def test_commands_start_anywhere() -> None:
    named = {
        "IDENTITY_ISSUERS": f"{SANDBOX}/issuers.toml",
        "OAUTH_CATALOG": f"{SANDBOX}/catalog.toml",
    }
    finished = started(str(ROOT / "manage.py"), "check", **named)
    assert finished.returncode == 0, finished.stderr
