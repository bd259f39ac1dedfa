"""The groups that come with the service, and what each may do in the admin."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

OPERATORS = "Operators"
AUDITORS = "Auditors"

APPS = ("identity", "audit", "platforms", "revocation", "operations", "events")
FORCE = Q(codename__startswith="force_disconnect_")
# What operators do besides looking, beside every `force_disconnect_*`.
_allowed = {
    "change_user",
    "add_suspension",
    "delete_suspension",
    "change_revocationjob",
    "add_apikey",
    "change_apikey",
}


def allow_operators(*codenames: str) -> None:
    """Grant the operators' group permissions of a connection app; to be called in `ready`."""
    _allowed.update(codenames)


def fill_groups(app_config: AppConfig, using: str, **_: Any) -> None:
    """Grant both groups one app's permissions, after each migrate of it.

    Django makes permissions after a migrate and not in a migration. Nothing is taken away, so that
    what an operator adds by hand stays.
    """
    of_app = Permission.objects.using(using).filter(content_type__app_label=app_config.label)
    # An app of connections is known by its permission to disconnect them.
    if app_config.label not in APPS and not of_app.filter(FORCE).exists():
        return
    look = Q(codename__startswith="view_")
    act = FORCE | Q(codename__in=_allowed)
    for name, held in ((AUDITORS, look), (OPERATORS, look | act)):
        group, _created = Group.objects.using(using).get_or_create(name=name)
        group.permissions.add(*of_app.filter(held))
