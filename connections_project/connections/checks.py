"""System checks that name what a connection type forgot."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core import checks
from django.core.exceptions import FieldDoesNotExist
from django.core.management import get_commands

from connections_project.connections.models import OAuthConnection
from connections_project.connections.registry import DISCONNECTED, ConnectionType, connection_types
from connections_project.core.vault import SealedField
from connections_project.platforms.catalog import catalog

Found = Iterator[checks.Error]
REQUIRED_ACTIONS = ("connected", "connection_failed", "token_refresh_failed", "disconnected")
# Of the audit log's column.
LONGEST_ACTION = 64
RECIPE = 'See CONTRIBUTING, "Add a connection type".'


def _error(number: int, about: object, problem: str, hint: str = RECIPE) -> checks.Error:
    return checks.Error(problem, hint=hint, obj=about, id=f"connections.E{number:03}")


@checks.register(checks.Tags.models)
def every_connection_model_is_registered(**_: Any) -> list[checks.CheckMessage]:
    """Find models of connections of which the registry knows nothing: nobody could end them."""
    known = {one.model for one in connection_types()}
    models = [one for one in apps.get_models() if issubclass(one, OAuthConnection)]
    return [
        _error(1, model, "is a model of connections, and in no registered connection type.")
        for model in models
        if model not in known
    ]


@checks.register(checks.Tags.models)
def connection_types_are_whole(**_: Any) -> list[checks.CheckMessage]:
    """Name everything that a registered type lacks."""
    return [error for one in connection_types() for check in CHECKS for error in check(one)]


def _check_model(one: ConnectionType) -> Found:
    model = one.model
    if one.app != model._meta.app_label:
        yield _error(2, model, f"has app = {one.app!r}, which is not its app's label.")
    if model.owner_column not in {"user_id", "team_id"}:
        yield _error(2, model, "has an owner_column that is neither user_id nor team_id.")
    if not _has_column(model, model.platform_column):
        yield _error(2, model, "has a platform_column that is none of its columns.")
    if model.deauthorized_columns is OAuthConnection.deauthorized_columns:
        yield _error(2, model, "does not define deauthorized_columns(), which webhooks call.")


def _check_statuses(one: ConnectionType) -> Found:
    if DISCONNECTED not in one.statuses:
        yield _error(3, one.model, f"can't be {DISCONNECTED!r}: statuses lack that.")


def _check_actions(one: ConnectionType) -> Found:
    named = {name: str(getattr(one.actions, name)) for name in REQUIRED_ACTIONS}
    if one.model.keeps_tokens:
        named["tokens_erased"] = one.actions.tokens_erased
    for name, action in named.items():
        if not 1 <= len(action) <= LONGEST_ACTION:
            yield _error(4, one.model, f"actions.{name} needs 1 to {LONGEST_ACTION} characters.")
    twice = [action for action, count in Counter(named.values()).items() if action and count > 1]
    for action in twice:
        yield _error(4, one.model, f"actions name {action!r} for two meanings.")


def _check_permission(one: ConnectionType) -> Found:
    codename = one.permission.partition(".")[2]
    if codename not in dict(one.model._meta.permissions):
        yield _error(5, one.model, f"Meta.permissions lack {codename!r}.")


def _check_catalogue(one: ConnectionType) -> Found:
    if one.app not in catalog().apps:
        yield _error(6, one.model, f"no app of INSTALLED_APPS ships {one.app}/catalog.toml.")


def _check_admin(one: ConnectionType) -> Found:
    if not admin.site.is_registered(one.model):
        yield _error(7, one.model, "is not in the admin.", "Register it in its app's admin.py.")


def _check_command(one: ConnectionType) -> Found:
    home = apps.get_app_config(one.model._meta.app_label).name
    own = [name for name, app in get_commands().items() if app == home]
    if not any(name.startswith("disconnect_") for name in own):
        yield _error(8, one.model, f"{home} has no management command disconnect_*.")


def _check_operator_fields(one: ConnectionType) -> Found:
    for name in one.operator_fields:
        if not _has_column(one.model, name):
            yield _error(9, one.model, f"operator_fields name {name!r}, which is no column.")
        elif isinstance(one.model._meta.get_field(name), SealedField):
            yield _error(9, one.model, f"operator_fields name {name!r}, which holds credentials.")


def _has_column(model: type[OAuthConnection], name: str) -> bool:
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True


CHECKS: tuple[Callable[[ConnectionType], Found], ...] = (
    _check_model,
    _check_statuses,
    _check_actions,
    _check_permission,
    _check_catalogue,
    _check_admin,
    _check_command,
    _check_operator_fields,
)
