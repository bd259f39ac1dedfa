"""A list is filtered by what it declares, and by no other column, whatever the operator may see."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from connections_project.identity.models import User
from connections_project.platforms.models import Suspension

# Suspensions are shown as a list of platforms, which is not filtered at all.
MODELS = [model for model in admin.site._registry if model is not Suspension]
LOOKUPS = ("", "__startswith")


def lists(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def columns(model: type[models.Model]) -> Iterator[str]:
    """Every column, and every column of what the model refers to or is referred to by."""
    for field in model._meta.get_fields():
        yield field.name
        if field.related_model:
            yield from (f"{field.name}__{far.name}" for far in field.related_model._meta.fields)


def declared(model: type[models.Model]) -> set[str]:
    """The filters' parameters, also of those that have nothing to choose from yet."""
    declared: list[Any] = list(admin.site._registry[model].get_list_filter(HttpRequest()))
    return {one.parameter_name for one in declared if hasattr(one, "parameter_name")}


def filters(model: type[models.Model], client: Client) -> list[Any]:
    return list(client.get(lists(model)).context["cl"].filter_specs)


@pytest.fixture
def everything(db: None) -> Client:
    """A client for whom no permission is missing."""
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", "x"))
    return client


def test_only_declared_filters_are_admitted(everything: Client) -> None:
    for model in MODELS:
        own, its_admin = declared(model), admin.site._registry[model]
        asked = {f"{name}{lookup}" for name in columns(model) for lookup in LOOKUPS} - own
        allowed = {one for one in asked if its_admin.lookup_allowed(one, "1", HttpRequest())}
        assert allowed == set(), model
        assert everything.get(lists(model), {min(asked): "1"}).status_code == 400, model


def test_declared_filters_work(everything: Client) -> None:
    for model in MODELS:
        for one in filters(model, everything):
            for value, _ in one.lookup_choices:
                answer = everything.get(lists(model), {one.parameter_name: value})
                assert answer.status_code == 200, (model, one.parameter_name, value)


def test_saved_filters_work(everything: Client) -> None:
    for model in MODELS:
        its_admin: Any = admin.site._registry[model]
        for name, query in its_admin.saved_filters.items():
            answer = everything.get(f"{lists(model)}?{query}")
            assert answer.status_code == 200, (model, name)
            assert f'href="?{escape(query)}" aria-current="page">{name}' in answer.content.decode()


def test_every_column_that_sorts_has_an_index(everything: Client) -> None:
    for model in MODELS:
        indexed = {field.name for field in model._meta.fields if is_indexed(field)}
        its_admin: Any = admin.site._registry[model]
        shown = everything.get(lists(model)).context["cl"]
        sorts = {shown.get_ordering_field(name) for name in its_admin.sortable_by}
        assert sorts <= {*indexed, "id", "pk", None}, (model, sorts)


def test_no_other_column_sorts(everything: Client) -> None:
    for model in MODELS:
        its_admin: Any = admin.site._registry[model]
        shown = everything.get(lists(model)).context["cl"]
        usual = shown.queryset.query.order_by
        for number, name in enumerate(shown.list_display):
            if name not in its_admin.sortable_by:
                for order in (str(number), f"-{number}"):
                    answer = everything.get(lists(model), {"o": order})
                    found = answer.context["cl"].queryset.query.order_by
                    assert set(found) == set(usual), (model, name)


def is_indexed(field: Any) -> bool:
    return bool(field.primary_key or field.unique or field.db_index)


def test_an_auditor_guesses_no_password(auditors_page: Client, owner: User) -> None:
    for model, lookup in (
        ("identity_user", "password__startswith"),
        ("identity_team", "owner__password__startswith"),
        ("identity_apikey", "secret_sha256__startswith"),
        ("providers_connection", "user__password__startswith"),
    ):
        address = reverse(f"admin:{model}_changelist")
        assert auditors_page.get(address, {lookup: "md5"}).status_code == 400
        assert auditors_page.get(address, {"_to_field": "password"}).status_code in {200, 400}


def test_a_popup_tells_no_other_column(auditors_page: Client, owner: User) -> None:
    address = reverse("admin:identity_user_changelist")
    answer = auditors_page.get(address, {"_popup": "1", "_to_field": "password"})
    assert answer.status_code == 400
