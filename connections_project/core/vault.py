"""The one place that encrypts and decrypts. What it can't read it refuses; it never guesses."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class DecryptionError(Exception):
    """A ciphertext can't be opened: wrong key, damaged, or sealed for something else."""


class Sealed:
    """An encrypted value. It shows nothing of itself; equal are those of the same ciphertext."""

    __slots__ = ("ciphertext",)

    def __init__(self, ciphertext: str) -> None:
        self.ciphertext = ciphertext

    def __repr__(self) -> str:
        return "Sealed(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and other.ciphertext == self.ciphertext

    def __hash__(self) -> int:
        return hash(self.ciphertext)


def seal(data: Mapping[str, Any], *, subject: str) -> Sealed:
    """Encrypt a JSON object under the newest key.

    Args:
        data: Plain JSON.
        subject: Whose it is, such as `connection:<uuid>`; only for the same subject can it be
            opened again, so that a ciphertext pasted onto another row is refused.
    """
    payload = json.dumps({"subject": subject, "data": data})
    return Sealed(_keys().encrypt(payload.encode()).decode())


def open_sealed(sealed: Sealed, *, subject: str) -> dict[str, Any]:
    """Decrypt what `seal` made for this subject.

    Raises:
        DecryptionError: No key fits, the ciphertext is damaged, or it is another subject's.
    """
    payload = _parsed(_decrypted(sealed))
    if not isinstance(payload, dict) or not isinstance(payload.get("data"), dict):
        raise DecryptionError("the ciphertext holds no sealed object")
    if payload.get("subject") != subject:
        raise DecryptionError("the ciphertext was sealed for another subject")
    data: dict[str, Any] = payload["data"]
    return data


def rotate(sealed: Sealed) -> Sealed | None:
    """Encrypt anew under the newest key; None if it is under that already.

    Raises:
        DecryptionError: No key fits, or the ciphertext is damaged.
    """
    try:
        Fernet(settings.CREDENTIAL_KEYS[0]).decrypt(_bytes(sealed))
    except InvalidToken:
        return Sealed(_keys().encrypt(_decrypted(sealed)).decode())
    return None


if TYPE_CHECKING:
    _TextField = models.TextField[Sealed | None, Sealed | None]
else:
    # Django's fields take type arguments from the stubs alone.
    _TextField = models.TextField


class SealedField(_TextField):
    """A column that holds ciphertexts, and gives and takes `Sealed` values only.

    There are no lookups into the contents: only whether it is null, and whether it is still the
    very ciphertext that was read, for a compare-and-set.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # No form has any business with it.
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, *_: Any) -> Sealed | None:
        return None if value is None else Sealed(value)

    def to_python(self, value: Any) -> Sealed | None:
        # Fixtures hold the ciphertext as text.
        return Sealed(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Sealed):
            return value.ciphertext
        return None if value is None else self._refuse()

    def value_to_string(self, obj: models.Model) -> str:
        value: Sealed | None = self.value_from_object(obj)
        return value.ciphertext if value else ""

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name in {"exact", "isnull"} else None

    def _refuse(self) -> NoReturn:
        # Not even the value's type is named: it may be a token in plain text.
        raise TypeError(f"{self.name} takes Sealed values only")


def _keys() -> MultiFernet:
    return _multi_fernet(tuple(settings.CREDENTIAL_KEYS))


@lru_cache(maxsize=4)
def _multi_fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _bytes(sealed: Sealed) -> bytes:
    # A ciphertext is ASCII; what isn't was damaged, and is to be refused as such.
    return sealed.ciphertext.encode("ascii", "replace")


def _decrypted(sealed: Sealed) -> bytes:
    try:
        return _keys().decrypt(_bytes(sealed))
    except InvalidToken:
        raise DecryptionError("no credential key opens the ciphertext") from None


def _parsed(plaintext: bytes) -> Any:
    try:
        return json.loads(plaintext)
    except ValueError:
        # Nothing is raised in here: the parser's error, as context, would hold the plaintext.
        return None
