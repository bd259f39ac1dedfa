"""Saving a row that others change meanwhile."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Self

from django.db import models


class ChangedFieldsModel(models.Model):
    """A model whose full `save()` of a stored row writes only the columns that were changed in it.

    Else a form that is sent, or a new password, would write back all others as they were read:
    whoever was deactivated in between would be let in again.
    """

    # What was read, by the names of attributes. What isn't known counts as changed, and so does
    # what was saved since: that may have been rolled back.
    _as_read: Mapping[str, Any] = MappingProxyType({})

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the row."""
        if not self._state.adding and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = self._changed_fields()
        written = kwargs.get("update_fields") or ()
        super().save(*args, **kwargs)
        self._as_read = {name: self._as_read[name] for name in {*self._as_read}.difference(written)}

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        row = super().from_db(*args, **kwargs)
        row._as_read = dict(row.__dict__)
        return row

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """Read the row, or some of its columns, anew."""
        super().refresh_from_db(*args, **kwargs)
        names = {one.attname for one in self._meta.concrete_fields} & {*self.__dict__}
        if fields := kwargs.get("fields") or (args[1:2] and args[1]):
            names &= {*fields}
        self._as_read = {**self._as_read, **{name: self.__dict__[name] for name in names}}

    def _changed_fields(self) -> set[str]:
        here, read = self.__dict__, self._as_read
        names = {one.attname for one in self._meta.concrete_fields if not one.primary_key} & {*here}
        return {name for name in names if name not in read or here[name] != read[name]}
