"""How principals come to be."""

from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import connections

U = TypeVar("U", bound=AbstractBaseUser)

# The columns of what is asked of whoever makes a call.
PRINCIPAL = ("id", "password", "email", "issuer", "subject", "issuer_email", "principal_type",
             "is_active", "is_staff", "is_superuser", "sessions_ended_at")  # fmt: skip


class UserManager(BaseUserManager[U]):
    """Makes principals, whose password is hashed before anything is stored."""

    use_in_migrations = False

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> U:
        """Create a principal and its own team.

        Args:
            email: The address it signs in with, in any case.
            password: In the clear; None makes one that no password opens.
            fields: Further columns, as `principal_type`.

        Raises:
            django.db.IntegrityError: The address is taken, or the columns contradict each other.
        """
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def active_principal(self, principal_id: UUID | None) -> U | None:
        """Find, for each call of the API, who makes it; None where nobody active has that id.

        By a statement of its own: to build it anew would take most of the time. What it leaves out
        is read when it is asked for.
        """
        if principal_id is None:
            return None
        database = connections[self.db]
        options, quote = self.model._meta, database.ops.quote_name
        columns = [quote(name) for name in PRINCIPAL]
        found = self.raw(
            f"SELECT {', '.join(columns)} FROM {quote(options.db_table)}"  # noqa: S608 - names only.
            " WHERE id = %s AND is_active",
            [options.pk.get_db_prep_value(principal_id, database)],
        )
        return next(iter(found), None)

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> U:
        """Create an operator with every permission; `createsuperuser` calls this by its name.

        Raises:
            django.db.IntegrityError: The address is taken.
        """
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
