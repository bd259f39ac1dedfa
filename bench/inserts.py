"""Rows in SQL, so that what the benchmarks write keeps up with the models."""

from typing import Any

from django.db import models


def literals(model: type[models.Model], values: dict[str, str]) -> dict[str, str]:
    """Return an SQL expression for each column; others take the model's default."""
    fields = model._meta.concrete_fields
    return {field.attname: _literal(field.get_default()) for field in fields} | values


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if type(value) is int else f"'{value}'"
