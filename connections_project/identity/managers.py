"""How principals come to be."""

from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager

U = TypeVar("U", bound=AbstractBaseUser)


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

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> U:
        """Create an operator with every permission; `createsuperuser` calls this by its name.

        Raises:
            django.db.IntegrityError: The address is taken.
        """
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
