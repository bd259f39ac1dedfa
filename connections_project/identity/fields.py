"""The column of an e-mail address."""

import unicodedata
from typing import Any

from django.db import models

from connections_project.core.text import is_deceptive

LONGEST_EMAIL = 254


def normal_email(email: str) -> str:
    """Return the one spelling under which an address is stored, looked up and counted.

    RFC 5321, section 2.4, lets a server tell local parts apart by case; no mail service does so
    today, and two accounts that differ in case alone would serve nobody but an impostor. The same
    goes for look-alike widths of letters, which NFKC folds (UAX 15); Django's forms fold them too.
    """
    return unicodedata.normalize("NFKC", email.strip()).lower()


def claimed_email(value: Any) -> str | None:
    """Return an address as an issuer claims it, in its stored spelling; None where it is none.

    RFC 5321, section 4.1.2, has no control characters in addresses.
    """
    address = normal_email(value) if isinstance(value, str) else ""
    # The stored spelling may be longer than what came.
    return address if 0 < len(address) <= LONGEST_EMAIL and not is_deceptive(address) else None


class NormalEmailField(models.EmailField):  # type: ignore[type-arg]
    """An address that is unique whatever its case, since nothing else is stored or looked up."""

    def get_prep_value(self, value: Any) -> Any:
        return normal_email(value) if isinstance(value, str) else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        # The row in hand must say what the database says.
        value = self.get_prep_value(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value
