"""`make .env`: settings for development, with fresh keys."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import environ
import pytest

from connections_project.sandbox.local.keys import development_settings, write
from connections_project.sandbox.local.processes import ROOT


def settings_in(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def test_one_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("SECRET_KEY=mine\n", encoding="utf-8")
    with pytest.raises(FileExistsError):
        write(path)
    assert path.read_text(encoding="utf-8") == "SECRET_KEY=mine\n"


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_two_files_share_a_key(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write(first)
    write(second)
    once, again = settings_in(first), settings_in(second)
    assert once.keys() == again.keys() == development_settings().keys()
    same = {name for name in once if once[name] == again[name]}
    places = {"DATABASE_URL", "AUDIT_HEADS_FILE", "OAUTH_CATALOG", "IDENTITY_ISSUERS"}
    offered = ("SANDBOX", "SANDBOX_SOCIAL", "SANDBOX_PAGES")
    clients = {f"OAUTH_{slug}_CLIENT_ID" for slug in offered}
    sign_on = {f"ADMIN_OIDC_{name}" for name in ("ISSUER", "CLIENT_ID", "OPERATORS_GROUP")}
    assert same == {"DEBUG"} | clients | places | sign_on


def test_the_service_takes_its_keys_outside_debug(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    write(path)
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    production = {
        "DEBUG": "false",
        "ALLOWED_HOSTS": "connections.example.com",
        "PUBLIC_URL": "https://connections.example.com",
    }
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=kept | production | {"ENV_FILE": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert checked.returncode == 0, checked.stderr


def test_its_database_is_the_development_folders(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    write(path)
    config = environ.Env.db_url_config(settings_in(path)["DATABASE_URL"])
    assert config["NAME"] == ".dev/db.sqlite3"
