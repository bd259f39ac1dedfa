"""A lease: whose a row is, and until when nobody else may have it.

It runs out by itself, so that a process that dies with it blocks nothing. It is set and compared by
the database's clock alone: the clocks of hosts differ, and one that is ahead would take over what
another one works on.
"""

from datetime import timedelta

from django.db.models import Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

# What takes a row back from its holder.
FREED = {"lease": None, "leased_until": None}


def not_leased(column: str = "leased_until") -> Q:
    """Return the condition of rows that nobody holds."""
    return Q(**{column: None}) | Q(**{f"{column}__lt": Now()})


def leased(column: str = "leased_until") -> Q:
    """Return the condition of rows that somebody holds."""
    return Q(**{f"{column}__gte": Now()})


def lease_end(seconds: float) -> Combinable:
    """Return the value of a lease's column that ends so many seconds from now."""
    return Now() + timedelta(seconds=seconds)
