"""Real starts: what a person sees on the terminal."""

import subprocess
from pathlib import Path

import pytest

from tests.conf.conftest import PRODUCTION, manage, start


def said(finished: "subprocess.CompletedProcess[str]") -> str:
    """Return the one line on stderr with which a start was refused."""
    assert finished.returncode == 1
    assert finished.stdout == ""
    lines = finished.stderr.splitlines()
    assert len(lines) == 1, finished.stderr
    return lines[0]


def test_a_refused_start_is_one_line_no_traceback() -> None:
    assert said(manage("check", SECRET_KEY=None)).startswith("Configuration: SECRET_KEY is missing")
    wrong = said(manage("check", DATABASE_URL="postgres://u:tr0ub4dor@h:port/n"))
    assert wrong.startswith("Configuration: DATABASE_URL is wrong")
    assert "tr0ub4dor" not in wrong


def test_a_wrong_catalogue_names_file_table_and_key(tmp_path: Path) -> None:
    catalogue = tmp_path / "mine.toml"
    catalogue.write_text('[providers.schwab]\nscopes = "read"\n', encoding="utf-8")
    words = said(manage("check", OAUTH_CATALOG=str(catalogue)))
    assert all(part in words for part in (str(catalogue), "providers.schwab", "scopes"))


@pytest.mark.parametrize(
    "entry_point",
    [
        ("-c", "import connections_project.wsgi"),
        ("-m", "celery", "--quiet", "--app=connections_project", "worker"),
        ("-m", "celery", "--quiet", "--app=connections_project", "beat"),
    ],
    ids=["web", "worker", "beat"],
)
def test_a_wrong_catalogue_ends_every_start(tmp_path: Path, entry_point: tuple[str, ...]) -> None:
    catalogue = tmp_path / "mine.toml"
    catalogue.write_text("providers = 1\n", encoding="utf-8")
    broker = "redis://127.0.0.1:1/0"
    words = said(start(*entry_point, OAUTH_CATALOG=str(catalogue), CELERY_BROKER_URL=broker))
    assert words == f"Configuration: {catalogue}: [providers]: must be a table"


def test_a_start_asks_no_database() -> None:
    """Where it is away, all routes are there for the answer that says so."""
    program = "import django; django.setup(); import connections_project.urls"
    away = "postgres://nobody@127.0.0.1:1/nowhere"
    variables = {"DATABASE_URL": away, "DJANGO_SETTINGS_MODULE": "connections_project.settings"}
    started = start("-c", program, **variables)
    assert (started.returncode, started.stderr) == (0, "")


@pytest.mark.parametrize(("entry_point", "warns"), [("wsgi", True), ("rsgi", False)])
def test_a_start_without_a_deadline_says_so(entry_point: str, warns: bool) -> None:
    started = start("-c", f"import connections_project.{entry_point}")
    assert started.returncode == 0, started.stderr
    assert ("nothing ends a request whose body stalls" in started.stderr) is warns


@pytest.mark.parametrize(
    "entry_point",
    [
        ("manage.py", "shell", "--verbosity", "0", "--command", "{}"),
        ("-c", "import connections_project.rsgi; {}"),
    ],
    ids=["command", "web"],
)
def test_garbage_is_collected_once_started(entry_point: tuple[str, ...]) -> None:
    told = "import gc; print(gc.isenabled(), gc.get_freeze_count() > 1000)"
    assert start(*(part.format(told) for part in entry_point)).stdout.strip() == "True True"


def test_production_settings_pass_the_deploy_check() -> None:
    finished = manage("check", "--deploy", "--fail-level", "WARNING")
    assert finished.returncode == 0, finished.stderr
    assert "no issues" in finished.stdout


def test_a_plain_http_address_fails_the_deploy_check() -> None:
    address = "http://localhost.example.com"
    finished = manage("check", "--deploy", "--fail-level", "WARNING", PUBLIC_URL=address)
    assert finished.returncode == 1
    assert "connections.W004" in finished.stderr


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / "its.env"


def write(env_file: Path, **changed: str) -> None:
    lines = [f"{name}={value}" for name, value in (PRODUCTION | changed).items()]
    env_file.write_text("# A comment\n\n" + "\n".join(lines) + "\n", encoding="utf-8")


SHOW = "from django.conf import settings; print(settings.LOG_FORMAT, settings.PUBLIC_URL)"


def test_the_environment_wins_over_the_env_file(env_file: Path) -> None:
    write(env_file, LOG_FORMAT="json", PUBLIC_URL="'https://file.example.com'")
    absent: dict[str, str | None] = dict.fromkeys(PRODUCTION)
    given = absent | {"ENV_FILE": str(env_file), "PUBLIC_URL": "https://env.example.com"}
    finished = manage("shell", "--no-imports", "-c", SHOW, **given)
    assert finished.stdout.split() == ["json", "https://env.example.com"], finished.stderr


def test_an_unreadable_env_line_is_named_by_number(env_file: Path) -> None:
    env_file.write_text("DEBUG=true\nSECRET_KEY tr0ub4dor\n", encoding="utf-8")
    words = said(manage("check", ENV_FILE=str(env_file)))
    assert f"{env_file}, line 2" in words
    assert "tr0ub4dor" not in words


def test_an_env_file_that_is_not_text_ends_the_start(env_file: Path) -> None:
    env_file.write_bytes(b"SECRET_KEY=\xff\xfe\n")
    assert str(env_file) in said(manage("check", ENV_FILE=str(env_file)))
