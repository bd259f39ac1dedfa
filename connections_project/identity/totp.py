"""Authenticator apps (TOTP, RFC 6238)."""

from datetime import timedelta

from django.db import models
from django_otp.models import MAX_THROTTLE_DELAY_SECONDS, Device, ThrottlingMixin
from django_otp.oath import TOTP

from connections_project.core import clock
from connections_project.core.vault import DecryptionError, SealedField, open_sealed


class SealedTOTPDevice(ThrottlingMixin, Device):  # type: ignore[misc]
    """A TOTP device whose key is sealed like every other secret; django-otp's own is in the clear.

    After each wrong code the next try has to wait twice as long.
    """

    sealed_key = SealedField()
    # The time step of the last code that was taken: each is good once (RFC 6238, section 5.2).
    last_step = models.BigIntegerField(default=-1)

    class Meta:
        abstract = True

    @property
    def vault_subject(self) -> str:
        raise NotImplementedError

    def verify_is_allowed(self) -> tuple[bool, None]:
        """Whether the wait after wrong codes is over, by the database's clock."""
        failed_at = self.throttling_failure_timestamp
        if failed_at is None:
            return True, None
        wait = min(2 ** (self.throttling_failure_count - 1), MAX_THROTTLE_DELAY_SECONDS)
        return clock.now() >= failed_at + timedelta(seconds=wait), None

    def throttle_increment(self, commit: bool = True) -> None:
        super().throttle_increment(commit=False)
        self.throttling_failure_timestamp = clock.now()
        if commit:
            self.save()

    def verify_token(self, token: str) -> bool:
        """Whether a code is good, which uses it up. The caller has locked the row.

        Raises:
            DecryptionError: No key of ours reads the device's secret.
        """
        if not self.verify_is_allowed()[0]:
            return False
        totp = TOTP(self._key())
        totp.time = clock.now().timestamp()
        # A phone's clock may be one step off (RFC 6238, section 6).
        if not _is_code(token) or not totp.verify(int(token), 1, self.last_step + 1):
            self.throttle_increment()
            return False
        self.last_step = totp.t()
        self.throttle_reset()
        return True

    def _key(self) -> bytes:
        if self.sealed_key is None:
            raise DecryptionError("the authenticator holds no key")
        return bytes.fromhex(open_sealed(self.sealed_key, subject=self.vault_subject)["key"])


def _is_code(token: str) -> bool:
    return len(token) == 6 and token.isascii() and token.isdecimal()
