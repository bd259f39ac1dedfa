"""Senders are found by their files, which are all that the catalogue's values can name."""

import pkgutil
from pathlib import Path

import pytest
from django.urls import resolve

from connections_project.oauth.catalog import CatalogError, load_catalog
from connections_project.platforms.catalog import shipped_catalogs
from connections_project.webhooks import senders
from connections_project.webhooks.sender import webhook_senders

NAMES = [one.name for one in pkgutil.iter_modules(senders.__path__)]


def entry(tmp_path: Path, sender: str) -> Path:
    path = tmp_path / "catalog.toml"
    path.write_text(f'[channels.mastodon]\ndeauthorization = "{sender}"\n', encoding="utf-8")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_sender_can_be_named(tmp_path: Path, name: str) -> None:
    risc = '\nrisc_configuration_endpoint = "https://risc.example.com/"\n'
    path = entry(tmp_path, name)
    path.write_text(path.read_text(encoding="utf-8") + risc, encoding="utf-8")
    catalogue = load_catalog(*shipped_catalogs().values(), path)
    assert catalogue["mastodon"].deauthorization == name


@pytest.mark.parametrize("name", ["nobody", "signing_keys", "__init__"])
def test_an_unknown_sender_stops_the_start(tmp_path: Path, name: str) -> None:
    with pytest.raises(CatalogError) as caught:
        load_catalog(*shipped_catalogs().values(), entry(tmp_path, name))
    assert "[channels.mastodon] deauthorization" in str(caught.value)
    assert all(one in str(caught.value) for one in NAMES)


def test_each_sender_has_its_addresses() -> None:
    paths = [path for sender in webhook_senders() for path in sender.actions]
    meta = ["meta/deauthorize", "meta/data-deletion"]
    assert paths == ["discord", "google-risc", *meta, "tiktok", "x"]
    for sender in webhook_senders():
        for path in sender.actions:
            assert resolve(f"/api/v1/webhooks/{path}").kwargs == {"sender": sender}
