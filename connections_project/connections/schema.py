"""The indexes and constraints that the tables of all connection types have."""

from collections.abc import Sequence

from django.db import models
from django.db.models.functions import Lower

from connections_project.connections.attention import attention_constraints, attention_indexes
from connections_project.core.prefixes import ByPrefix


def connection_indexes(name: str, platform_column: str) -> list[models.Index]:
    """Return a table's indexes.

    Args:
        name: What their names begin with.
        platform_column: The table's.
    """
    return [
        *_admin_indexes(name, platform_column),
        *_token_name_indexes(name),
        _renewal_index(name),
        *attention_indexes(name),
        # Platforms name the person who gave the grant when it is over.
        models.Index(fields=["granting_user_id"], name=f"{name}_granting_user"),
    ]


def connection_constraints(
    name: str, statuses: Sequence[str], *, live: str
) -> list[models.CheckConstraint]:
    """Return a table's constraints.

    Args:
        name: What their names begin with.
        live: The status of a connection that works.
    """
    is_over = models.Q(status="disconnected")
    holds_credentials = models.Q(auth_state__isnull=False, connected_at__isnull=False)
    conditions = {
        "status_known": models.Q(status__in=statuses),
        f"{live}_holds_credentials": ~models.Q(status=live) | holds_credentials,
        "deleted_only_disconnected": models.Q(deleted_at=None) | is_over,
    }
    return [
        *attention_constraints(name),
        *(
            models.CheckConstraint(name=f"{name}_{rule}", condition=condition)
            for rule, condition in conditions.items()
        ),
    ]


def _renewal_index(name: str) -> models.Index:
    """Return the index by which the sweep finds grants that would die of disuse."""
    due = models.Q(renew_at__isnull=False)
    return models.Index(fields=["renew_at"], name=f"{name}_renewal", condition=due)


def _token_name_indexes(name: str) -> list[models.Index]:
    """Return the indexes by which a platform's notice finds the connection whose token is dead."""
    return [
        models.Index(
            fields=[column],
            name=f"{name}_{column}",
            condition=models.Q(**{f"{column}__isnull": False}),
        )
        for column in ("refresh_token_prefix", "refresh_token_hash")
    ]


def _admin_indexes(name: str, platform_column: str) -> list[models.Index]:
    """Return the indexes behind the admin's lists: every filter, newest first, and the search.

    Ids are time-ordered, so that an index that ends in them also gives the order.
    """
    live = ~models.Q(status="disconnected")
    return [
        models.Index(fields=["status", "-id"], name=f"{name}_by_status"),
        models.Index(fields=[platform_column, "-id"], name=f"{name}_by_platform"),
        models.Index(fields=[platform_column, "status", "-id"], name=f"{name}_by_both"),
        models.Index(
            fields=["platform_account_id"],
            name=f"{name}_account_prefix",
            opclasses=["varchar_pattern_ops"],
        ),
        models.Index(ByPrefix(Lower("platform_account_name")), name=f"{name}_name_prefix"),
        # What is ended by age, or all of it: in time most rows are over.
        models.Index(fields=["connected_at"], name=f"{name}_live_by_age", condition=live),
    ]
