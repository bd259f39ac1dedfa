"""How passwords are hashed, and by how many threads at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

# Each thread that hashes may have this many waiting behind it, and no longer than this.
WAITING_PER_THREAD = 3
LONGEST_WAIT_SECONDS = 0.5


class PasswordHasher(Argon2PasswordHasher):
    """Argon2id as OWASP's cheat sheet on password storage has it: 19 MiB, twice over, one lane.

    It takes about 50 ms of a core. Hashes made otherwise are renewed at the next sign-in.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1


class HashingBusyError(Exception):
    """As many passwords are being looked at as this process looks at; `retry_after` in seconds."""

    retry_after = 1


@contextmanager
def sign_in_place() -> Iterator[None]:
    """Sign somebody in inside: those who hash, and some more who wait for a moment.

    Whoever signs in is not known yet, and must not take the threads of those who are known. It is
    asked for first of all, so that a crowd costs nothing but its refusal.

    Raises:
        HashingBusyError: Too many sign in already.
    """
    places, _ = _bounds(settings.PASSWORD_HASHING_THREADS)
    if not places.acquire(blocking=False):
        raise HashingBusyError
    try:
        yield
    finally:
        places.release()


@contextmanager
def hashing_slot() -> Iterator[None]:
    """Hash inside, as one of PASSWORD_HASHING_THREADS.

    Raises:
        HashingBusyError: As many hash already, and go on for longer than is waited for.
    """
    _, slots = _bounds(settings.PASSWORD_HASHING_THREADS)
    if not slots.acquire(timeout=LONGEST_WAIT_SECONDS):
        raise HashingBusyError
    try:
        yield
    finally:
        slots.release()


@cache
def _bounds(threads: int) -> tuple[BoundedSemaphore, BoundedSemaphore]:
    """Return who may sign in, and who may hash, at a time in this process."""
    return BoundedSemaphore(threads * (1 + WAITING_PER_THREAD)), BoundedSemaphore(threads)
