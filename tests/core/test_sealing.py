"""What is sealed can be opened by its own subject, and by nothing else."""

import base64
import json
import traceback
from typing import Any

import pytest
from cryptography.fernet import Fernet

from connections_project.core.vault import DecryptionError, Sealed, open_sealed, rotate, seal
from tests.core.conftest import DATA, SUBJECT, UseKeys

pytestmark = pytest.mark.usefixtures("keys")


def refused(sealed: Sealed, subject: str = SUBJECT) -> DecryptionError:
    with pytest.raises(DecryptionError) as caught:
        open_sealed(sealed, subject=subject)
    return caught.value


def test_what_was_sealed_comes_back() -> None:
    assert open_sealed(seal(DATA, subject=SUBJECT), subject=SUBJECT) == DATA


def test_the_ciphertext_shows_nothing() -> None:
    ciphertext = seal(DATA, subject=SUBJECT).ciphertext

    assert "the-access-token" not in ciphertext
    assert b"the-access-token" not in base64.urlsafe_b64decode(ciphertext)


def test_sealing_twice_gives_two_ciphertexts() -> None:
    assert seal(DATA, subject=SUBJECT) != seal(DATA, subject=SUBJECT)


def test_another_subject_is_refused() -> None:
    refused(seal(DATA, subject=SUBJECT), subject="connection:0190")


def test_another_key_is_refused(use_keys: UseKeys) -> None:
    sealed = seal(DATA, subject=SUBJECT)
    use_keys(Fernet.generate_key().decode())

    refused(sealed)


@pytest.mark.parametrize("ciphertext", ["", "no ciphertext", "\x00", "é", "gAAAAA", "\ud800"])
def test_what_is_no_ciphertext_is_refused(ciphertext: str) -> None:
    refused(Sealed(ciphertext))


def test_each_damaged_character_is_noticed() -> None:
    whole = seal(DATA, subject=SUBJECT).ciphertext
    for place in range(0, len(whole) - 4, 7):
        other = "A" if whole[place] != "A" else "B"
        refused(Sealed(whole[:place] + other + whole[place + 1 :]))


@pytest.mark.parametrize(
    "plaintext",
    [
        b"the-access-token",
        b"\xff",
        json.dumps("the-access-token").encode(),
        json.dumps({"subject": SUBJECT, "data": "the-access-token"}).encode(),
        json.dumps({"subject": SUBJECT}).encode(),
        json.dumps({"data": DATA}).encode(),
        json.dumps({"subject": "another", "data": DATA}).encode(),
    ],
)
def test_a_refusal_holds_nothing_of_the_plaintext(keys: tuple[str, str], plaintext: bytes) -> None:
    error = refused(Sealed(Fernet(keys[0]).encrypt(plaintext).decode()))

    assert error.__cause__ is None
    assert error.__context__ is None
    assert "the-access-token" not in "".join(traceback.format_exception(error))


def test_a_sealed_value_shows_nothing_of_itself() -> None:
    sealed = seal(DATA, subject=SUBJECT)

    assert repr(sealed) == str(sealed) == f"{sealed}" == "Sealed(…)"


def test_equal_are_those_of_the_same_ciphertext() -> None:
    sealed = seal(DATA, subject=SUBJECT)
    unequal: list[Any] = [sealed.ciphertext, seal(DATA, subject=SUBJECT), None]

    assert sealed == Sealed(sealed.ciphertext)
    assert len({sealed, Sealed(sealed.ciphertext)}) == 1
    assert sealed not in unequal


def test_a_new_first_key_still_opens_old_ones(keys: tuple[str, str], use_keys: UseKeys) -> None:
    old, new = keys
    sealed = seal(DATA, subject=SUBJECT)
    use_keys(new, old)

    assert open_sealed(sealed, subject=SUBJECT) == DATA


def test_rotation_uses_the_newest_key(keys: tuple[str, str], use_keys: UseKeys) -> None:
    old, new = keys
    sealed = seal(DATA, subject=SUBJECT)
    use_keys(new, old)

    rotated = rotate(sealed)

    use_keys(new)
    assert rotated is not None
    assert open_sealed(rotated, subject=SUBJECT) == DATA
    assert rotate(rotated) is None


def test_rotation_refuses_what_it_cannot_read(use_keys: UseKeys) -> None:
    sealed = seal(DATA, subject=SUBJECT)
    use_keys(Fernet.generate_key().decode(), Fernet.generate_key().decode())

    with pytest.raises(DecryptionError):
        rotate(sealed)
