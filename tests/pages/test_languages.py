"""The pages speak the browser's language, and nothing else does."""

import mimetypes
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from django.test import Client
from rest_framework.test import APIClient

from connections_project.identity.models import User
from tests.support.bank import Bank
from tests.support.person_pages import words
from tests.support.process_environment import ROOT
from tests.support.provider_rows import connection_of

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
(LOCALE,) = settings.LOCALE_PATHS
needs_gettext = pytest.mark.skipif(shutil.which("msgfmt") is None, reason="gettext is not there")


@pytest.mark.django_db
def test_german_is_spoken(bank: Bank, page: Client, owner: User) -> None:
    row = connection_of(owner)
    shown = page.get("/connections", headers=GERMAN)
    assert '<html lang="de">' in shown.content.decode()
    assert (shown["Content-Language"], "Accept-Language" in shown["Vary"]) == ("de", True)
    assert "Verbunden seit" in words(shown)
    done = page.post(f"/connections/{row.pk}/disconnect", headers=GERMAN, follow=True)
    assert "Die Zugangsschlüssel sind gelöscht." in words(done)


@pytest.mark.django_db
def test_others_are_spoken_to_in_english(bank: Bank, page: Client) -> None:
    assert "Your connections" in words(page.get("/connections", headers={"Accept-Language": "fr"}))


@pytest.mark.django_db
def test_the_api_knows_no_language(anonymous: APIClient) -> None:
    answer = anonymous.post("/api/v1/auth/login", {}, format="json", headers=GERMAN)
    assert "This field is required." in answer.content.decode()


@pytest.mark.django_db
def test_callback_page_and_sign_in_too(bank: Bank) -> None:
    assert "Dieser Link ist unvollständig" in words(
        Client().get("/oauth/callback/bank", headers=GERMAN)
    )
    assert "E-Mail-Adresse" in words(Client().get("/sign-in", headers=GERMAN))


@needs_gettext
def test_the_compiled_catalogue_is_up_to_date(tmp_path: Path) -> None:
    source = LOCALE / "de" / "LC_MESSAGES" / "django.po"
    compiled = tmp_path / "django.mo"
    said = subprocess.run(
        ["msgfmt", "--check", "--statistics", "-o", compiled, source],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "untranslated" not in said.stderr
    assert "fuzzy" not in said.stderr
    assert compiled.read_bytes() == source.with_suffix(".mo").read_bytes()


@needs_gettext
def test_every_text_has_its_translation(tmp_path: Path) -> None:
    """What the code and the templates say is what the catalogue has."""
    for name in ("connections_project", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.pyc"))
    command = "import django; from django.core.management import call_command as call;"
    command += "django.setup(); call('makemessages', locale=['de'], no_location=True, verbosity=0)"
    made = tmp_path / "connections_project" / "locale" / "de" / "LC_MESSAGES" / "django.po"
    before = entries(made)
    subprocess.run(
        [sys.executable, "-c", BARE + command], cwd=tmp_path, check=True, capture_output=True
    )
    assert entries(made) == before


# Of the copy, not of the project.
BARE = (
    "from django.conf import settings;"
    "settings.configure(LOCALE_PATHS=['connections_project/locale'], USE_I18N=True);"
)


def entries(path: Path) -> set[str]:
    """Return the texts of a catalogue, however its lines are broken."""
    lines = path.read_text(encoding="utf-8").partition("\n\n")[2].replace('"\n"', "")
    return {line for line in lines.splitlines() if line.startswith(("msgid", "msgstr"))}


@pytest.mark.django_db
def test_the_brand_is_the_applications(
    settings: LazySettings, tmp_path: Path, bank: Bank, page: Client
) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    settings.BRAND_NAME, settings.BRAND_LOGO = "Acme & Co", logo
    shown = page.get("/connections").content.decode()
    assert '<img src="/brand/logo" alt="Acme &amp; Co"' in shown
    assert "<title>Your connections · Acme &amp; Co</title>" in shown
    file = page.get("/brand/logo")
    assert file["Content-Type"] == "image/svg+xml"
    assert file["Content-Security-Policy"].startswith("default-src 'none'")
    settings.BRAND_LOGO = None
    assert page.get("/brand/logo").status_code == 404


def test_a_webp_logo_is_known_on_any_machine(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A container may have no /etc/mime.types.
    monkeypatch.setattr(mimetypes, "_db", None)
    monkeypatch.setattr(mimetypes, "inited", False)
    monkeypatch.setattr(mimetypes, "knownfiles", [])
    settings.BRAND_LOGO = tmp_path / "logo.webp"
    settings.BRAND_LOGO.write_bytes(b"RIFF")
    assert Client().get("/brand/logo")["Content-Type"] == "image/webp"
