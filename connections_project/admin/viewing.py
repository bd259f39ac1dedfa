"""What an operator may see of a model's rows, on whichever page of the admin these stand."""

from typing import Any

from django.contrib.auth import get_permission_codename
from django.db.models import Model


def may_view(viewer: Any, model: type[Model]) -> bool:
    """Whether rows of a model are shown to an operator: as on their own pages, so on all others."""
    options = model._meta
    return any(
        viewer.has_perm(f"{options.app_label}.{get_permission_codename(action, options)}")
        for action in ("view", "change")
    )
