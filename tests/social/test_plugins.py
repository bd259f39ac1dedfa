"""Plugins are found by themselves, each can do what the Protocol says, and data that needs one
names one that is there."""

import importlib
import inspect
import pkgutil
from dataclasses import replace
from typing import Any

import pytest

from connections_project.platforms.catalog import catalog
from social import plugins, standard_plugin
from social.plugin import Plugin, plugin_of

MODULES = [one.name for one in pkgutil.iter_modules(plugins.__path__)]
SOCIAL = catalog().of_app("social")


def module_of(name: str) -> Any:
    return importlib.import_module(f"social.plugins.{name}")


@pytest.mark.parametrize("name", [*MODULES, "standard"])
def test_each_can_do_what_the_protocol_says(name: str) -> None:
    module = standard_plugin if name == "standard" else module_of(name)
    for verb in ("harvest", "publish"):
        wanted = list(inspect.signature(getattr(Plugin, verb)).parameters)[1:]
        assert list(inspect.signature(getattr(module, verb)).parameters) == wanted


@pytest.mark.parametrize("name", MODULES)
def test_each_file_is_the_plugin_of_the_platform_that_it_is_called_like(name: str) -> None:
    (platform,) = [one for one in SOCIAL if one.slug == name]
    assert plugin_of(platform) is module_of(name)
    # Also if its entry says nothing of it.
    assert plugin_of(replace(platform, adapter="")) is module_of(name)


def test_an_entry_may_name_another_platforms_or_ones_own() -> None:
    threads = catalog()["threads"]
    elsewhere = replace(threads, slug="elsewhere")
    assert plugin_of(elsewhere) is module_of("threads")
    assert plugin_of(replace(elsewhere, adapter="")) is standard_plugin


@pytest.mark.parametrize("slug", ["line", "words", "plugin", "models"])
def test_no_slug_finds_what_is_no_plugin(slug: str) -> None:
    platform = replace(catalog()["threads"], slug=slug, adapter="")
    assert plugin_of(platform) is standard_plugin


@pytest.mark.parametrize("platform", SOCIAL, ids=lambda one: one.slug)
def test_what_the_catalogue_leaves_to_an_adapter_is_there(platform: Any) -> None:
    module = importlib.import_module(platform.adapter)
    if platform.refresh == "self_exchange":
        assert callable(module.refresh)
    if platform.revocation and platform.revocation.kind == "adapter":
        assert callable(module.revoke)


# client authentication, PKCE, scope, refresh, revocation and what that ends, who tells of the end
FACTS = {
    "facebook_page": (
        "client_secret_post",
        "none",
        "pages_show_list,pages_read_engagement,pages_manage_posts",
        "self_exchange",
        ("adapter", "grant"),
        "meta",
    ),
    "instagram_business": (
        "client_secret_post",
        "none",
        "instagram_basic,instagram_content_publish,pages_show_list,pages_read_engagement",
        "self_exchange",
        ("adapter", "grant"),
        "meta",
    ),
    "threads": (
        "client_secret_post",
        "none",
        "threads_basic,threads_content_publish",
        "self_exchange",
        None,
        "meta",
    ),
}


def test_the_catalogue_says_what_the_platforms_demand() -> None:
    said = {
        one.slug: (
            one.token_endpoint_auth_method,
            one.code_challenge_method,
            one.scope_separator.join(one.scopes),
            one.refresh,
            one.revocation and (one.revocation.kind, one.revocation.blast_radius),
            one.deauthorization,
        )
        for one in SOCIAL
    }
    assert said == FACTS
