"""What a web process imports at its start, so that no request waits for it, and what none does."""

from pathlib import Path

import pytest

from tests.conf.conftest import start

ISSUER = """
[issuers.main]
issuer = "https://id.example.com"
audiences = ["connections"]
"""
SERVED = "import connections_project.rsgi, sys"
SET_UP = "import django, sys; django.setup()"
ROUTES, SCHEMAS = "connections_project.scim.urls", "scim2_models"


def imported(code: str, *names: str, **variables: str) -> list[str]:
    """Return which of these modules a process has imported once it has run this."""
    variables["DJANGO_SETTINGS_MODULE"] = "connections_project.settings"
    done = start("-c", f"{code}; print(*set({names}) & sys.modules.keys())", **variables)
    assert not done.returncode, done.stderr
    return sorted(done.stdout.split())


@pytest.fixture
def issuers(tmp_path: Path) -> str:
    file = tmp_path / "issuers.toml"
    file.write_text(ISSUER, encoding="utf-8")
    return str(file)


def test_a_web_process_has_its_routes() -> None:
    names = ("connections_project.urls", "connections_project.pages.urls", ROUTES, SCHEMAS)
    assert imported(SERVED, *names) == [
        "connections_project.pages.urls",
        "connections_project.urls",
    ]


def test_with_issuers_it_has_scim_too(issuers: str) -> None:
    assert imported(SERVED, ROUTES, SCHEMAS, IDENTITY_ISSUERS=issuers) == [ROUTES, SCHEMAS]


@pytest.mark.parametrize("language", ["en", "de"])
def test_an_address_is_found_without_scim(issuers: str, language: str) -> None:
    code = (
        f"{SET_UP}; from django.urls import reverse; from django.utils.translation import activate;"
        f" activate('{language}'); reverse('connections')"
    )
    assert imported(code, ROUTES, SCHEMAS, IDENTITY_ISSUERS=issuers) == []
