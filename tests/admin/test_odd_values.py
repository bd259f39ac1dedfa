"""Whatever is sent to the admin's and the other pages, none of them answers with an error of ours.

PostgreSQL stores no NUL: SQLite, which does, can't tell the half of it.
"""

from collections.abc import Iterator
from itertools import product

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from connections_project.identity.models import User
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of
from tests.support.provider_rows import connection_of

ODD = ["\x00", "", "'%", "\ud800", "9" * 40, "a" * 400]
PARAMETERS = ["q", "p", "o", "e", "all", "_popup", "_to_field", "_changelist_filters", "nonsense"]
MODELS = list(admin.site._registry)
NAMES = [model._meta.label for model in MODELS]


@pytest.fixture
def root(db: None) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("root@example.com", "x"))
    return client


@pytest.fixture
def rows(bank: Bank, owner: User) -> list[models.Model]:
    return [connection_of(owner), channel_of(owner, channel="x"), owner, owner.own_team]


def quoted(odd: str) -> str:
    return odd.encode("utf-8", "surrogatepass").hex("%", 1).join(["%", ""]) if odd else ""


def addresses(prefix: str, patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    """Every address of the admin, as its template: `providers/connection/<path:object_id>/`."""
    for one in patterns:
        template = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from addresses(template, one.url_patterns)
        else:
            yield template


def filled(template: str, value: str) -> str:
    parts = template.replace("^", "").replace("$", "").split("<")
    return parts[0] + "".join(value + part.partition(">")[2] for part in parts[1:])


def parameters(model: type[models.Model], root: Client) -> set[str]:
    changelist = (root.get(lists(model)).context or {}).get("cl")
    specs = changelist.filter_specs if changelist else []
    columns = {field.name for field in model._meta.get_fields()}
    return {*PARAMETERS, *(one.parameter_name for one in specs), *columns}


def lists(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_every_filter(root: Client, model: type[models.Model]) -> None:
    for name, odd in product(sorted(parameters(model, root)), ODD):
        status = root.get(f"{lists(model)}?{name}={quoted(odd)}").status_code
        assert status in ({400} if "\x00" in odd else {200, 302, 400}), (name, odd)
    assert root.get(f"{lists(model)}?%00=1").status_code == 400


@pytest.mark.parametrize(
    ("zone", "odd"),
    [
        ("UTC", "9999-12-31"),
        ("America/Los_Angeles", "9999-12-31 23:30"),
        ("Pacific/Auckland", "0001-01-01"),
    ],
)
def test_every_filter_at_the_ends_of_the_calendar(root: Client, zone: str, odd: str) -> None:
    root.cookies["admin_time_zone"] = zone
    for model in MODELS:
        for name in sorted(parameters(model, root)):
            status = root.get(lists(model), {name: odd}).status_code
            assert status in {200, 302, 400}, (model, name)


@pytest.mark.parametrize("odd", ODD)
def test_every_address(root: Client, odd: str) -> None:
    for template in addresses("/admin/", admin.site.urls[0]):
        if "<" in template:
            address = filled(template, quoted(odd))
            assert root.get(address).status_code < 500, address
            assert root.post(address, {"reason": odd.replace("\ud800", "")}).status_code < 500


def test_every_form_of_a_row(root: Client, rows: list[models.Model]) -> None:
    templates = [one for one in addresses("/admin/", admin.site.urls[0]) if "<" in one]
    fields = ["reason", "action", "_selected_action", "name", "email", "index", "_save", "user"]
    for row, template in product(rows, templates):
        if f"/{row._meta.app_label}/{row._meta.model_name}/" in template:
            address = filled(template, str(row.pk))
            for field in fields:
                assert root.post(address, {field: "\x00"}).status_code in {400, 404}, address


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_every_action_of_a_list(root: Client, model: type[models.Model]) -> None:
    for field, odd in product(("action", "_selected_action", "index", "select_across"), ODD):
        form = {"action": "force_disconnect_selected", "_selected_action": "1", "index": "0"}
        text = odd.replace("\ud800", "?")
        status = root.post(lists(model), {**form, field: text}).status_code
        assert status in ({400} if "\x00" in odd else {200, 302, 400, 403, 404}), (field, odd)


@pytest.mark.parametrize("template", sorted(
    template
    for template in addresses("/", get_resolver().url_patterns)
    if "<" in template and not template.startswith(("/admin/", "/api/", "/scim/"))
))  # fmt: skip
def test_every_other_page(root: Client, template: str) -> None:
    for odd in ODD:
        status = root.get(filled(template, quoted(odd))).status_code
        assert status == 404 if "\x00" in odd else status < 500, (template, odd)
        assert root.get(f"{filled(template, 'x')}?state={quoted(odd)}&code=1").status_code < 500


@pytest.mark.parametrize("name", ["sessionid", "csrftoken", "messages", "anything"])
def test_a_cookie_with_nul(root: Client, name: str) -> None:
    # RFC 2109 lets a quoted cookie hold octal escapes.
    answer = Client(raise_request_exception=False).get(
        "/admin/", headers={"Cookie": f'{name}="abcdefgh\\000ijkl"'}
    )
    assert answer.status_code == 400


def test_a_sign_in_with_nul(db: None) -> None:
    client = Client(raise_request_exception=False)
    for page, field in product(("/sign-in", "/admin/login/"), ("username", "password", "next")):
        form = {"username": "a@b.org", "password": "x", "next": "/", field: "a\x00"}
        assert client.post(page, form).status_code == 400
        assert client.get(page, {field: "\x00"}).status_code == 400
