"""A column for money."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    _DecimalField = models.DecimalField[Any, Any]
else:
    # Django's fields take type arguments from the stubs alone.
    _DecimalField = models.DecimalField


class MoneyField(_DecimalField):
    """An exact amount with 20 digits before the point and 18 behind it, on SQLite too.

    SQLite's own numbers are floating-point (https://www.sqlite.org/datatype3.html, section 3.1):
    of what is longer they keep 15 digits, so there it is stored as text.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_digits": 38, "decimal_places": 18})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        # Under its parent's name SQLite's backend would round what is read as if it were a float.
        return "MoneyField"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "text" if connection.vendor == "sqlite" else "numeric(38, 18)"

    def from_db_value(self, value: Decimal | str | None, *_: Any) -> Decimal | None:
        return Decimal(value) if isinstance(value, str) else value
