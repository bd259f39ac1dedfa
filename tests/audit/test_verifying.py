"""Verifying: what was done to a sealed log is found and named, whoever did it."""

import base64
import json
import secrets
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import CommandError, call_command
from django.db import connection

from audit import merkle
from audit.canonical import FIELDS, canonical, event_as_json
from audit.models import AuditEvent, Seal, SealedEvent
from audit.public_keys import as_text
from audit.statements import signing_key
from connections_project.core.ids import uuid7
from connections_project.core.signing import private_key
from tests.support import audit_tampering as tampering
from tests.support.audit_tampering import (
    change,
    cut_off,
    insert,
    record_events,
    remove,
    remove_with_digests,
    sealed,
)
from tests.support.audit_triggers import drop_triggers
from tests.support.audit_verifying import named, only_finding, verify

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("checkpoints_file")]


def test_an_untouched_log_is_what_was_sealed() -> None:
    sealed(3)
    sealed(2)
    record_events(1)
    result = verify()
    assert (result["ok"], result["code"], result["findings"]) == (True, 0, [])
    assert (result["events"], result["seals"], result["unsealed"]) == (5, 2, 1)


def test_an_empty_log_is_in_order() -> None:
    assert verify()["ok"]


def test_whoever_may_only_read_can_verify(django_assert_max_num_queries: Any) -> None:
    sealed(3)
    with django_assert_max_num_queries(20) as asked:
        assert verify()["ok"]
    assert {query["sql"].split()[0] for query in asked.captured_queries} <= {"SELECT", "DECLARE"}


def test_it_says_so_in_words() -> None:
    sealed(2)
    output = StringIO()
    call_command("verify_audit_log", stdout=output)
    assert "is what was sealed: 2 events in 1 seal. Not sealed yet: 0." in output.getvalue()


CHANGES: dict[str, object] = {
    "action": "provider_updated",
    "reason": "because",
    "details": {"platform": "bank", "number": 99},
    "client_address": "192.0.2.8",
    "actor_id": UUID(int=1),
    "subject_owner_id": UUID(int=2),
    "outcome": "failure",
}


@pytest.mark.parametrize("column", CHANGES)
def test_a_changed_event_is_named(column: str) -> None:
    ids = sealed(5)
    change(ids[2], **{column: CHANGES[column]})
    assert named(only_finding()) == ("changed", str(ids[2]))


def test_a_time_changed_by_a_microsecond_is_found() -> None:
    ids = sealed(2)
    change(ids[1], occurred_at=AuditEvent.objects.get(pk=ids[1]).occurred_at + timedelta.resolution)
    assert named(only_finding()) == ("changed", str(ids[1]))


def test_a_removed_event_is_named() -> None:
    ids = sealed(5)
    remove(ids[3])
    assert named(only_finding()) == ("removed", str(ids[3]))


def test_a_removed_event_is_named_by_its_neighbours() -> None:
    ids = sealed(5)
    remove_with_digests(ids[3])
    finding = only_finding()
    assert (finding["kind"], finding["seal"], finding["position"]) == ("removed", 1, 3)
    assert str(ids[2]) in finding["words"]
    assert str(ids[4]) in finding["words"]


def test_an_unsealed_inserted_event_is_named() -> None:
    sealed(3)
    forged = insert()
    assert named(only_finding()) == ("inserted", str(forged))


def test_a_sealed_inserted_event_is_named() -> None:
    sealed(3)
    forged = insert()
    sealed(3)
    assert named(only_finding()) == ("inserted", str(forged))


def test_a_copy_of_a_sealed_event_is_named() -> None:
    ids = sealed(3)
    copy = AuditEvent.objects.get(pk=ids[1])
    copy.pk = uuid7()
    copy.occurred_at -= timedelta(seconds=1)  # Older than the clocks of two hosts may differ by.
    copy.save(force_insert=True)
    assert named(only_finding()) == ("inserted", str(copy.pk))


def test_an_event_inserted_with_a_digest_is_named() -> None:
    sealed(3)
    forged = insert()
    SealedEvent.objects.create(event_id=forged, seal_id=1, position=3, digest=b"x" * 32)
    assert named(only_finding()) == ("inserted", str(forged))


def test_an_unsealed_event_is_not_called_inserted() -> None:
    sealed(1)
    record_events(2)
    insert(ago=timedelta(0))
    assert (verify()["ok"], verify()["unsealed"]) == (True, 3)


def test_an_explained_late_event_can_be_accepted() -> None:
    sealed(1)
    late = insert()
    assert verify("--accept", str(late))["ok"]
    tampering.seal()
    assert verify("--accept", str(late))["ok"]


def test_an_event_changed_with_its_digest_is_found() -> None:
    ids = sealed(3)
    change(ids[1], reason="forged")
    SealedEvent.objects.filter(pk=ids[1]).update(digest=b"x" * 32)
    event = AuditEvent.objects.filter(pk=ids[1]).values(*FIELDS).get()
    digest = merkle.leaf(canonical(event_as_json(event)))
    SealedEvent.objects.filter(pk=ids[1]).update(digest=digest)
    finding = only_finding()
    assert (finding["kind"], finding["seal"]) == ("changed", 1)
    assert "together with their digests" in finding["words"]


def test_the_first_bad_row_is_the_one_that_is_named() -> None:
    ids = [*sealed(3), *sealed(3)]
    remove(ids[4])
    change(ids[2], reason="forged")
    (finding,) = verify()["findings"]
    assert named(finding) == ("changed", str(ids[2]))
    assert [named(one)[1] for one in verify("--all")["findings"]] == [str(ids[2]), str(ids[4])]


def test_checkpoints_find_a_cut_tail() -> None:
    sealed(3)
    sealed(4)
    cut_off(from_seal=2)
    finding = only_finding()
    assert (finding["kind"], finding["seal"]) == ("cut_off", 2)
    assert "seal 2 with 4 events is missing, the log ends with seal 1" in finding["words"]


def test_checkpoints_find_a_log_cut_whole(checkpoints_file: Path) -> None:
    sealed(3)
    cut_off(from_seal=1)
    finding = only_finding("--heads", str(checkpoints_file))
    assert (finding["kind"], finding["seal"]) == ("cut_off", 1)


def test_events_removed_from_the_end_are_named() -> None:
    ids = sealed(4)
    remove(ids[2], ids[3])
    findings = verify("--all")["findings"]
    assert [named(one) for one in findings] == [("removed", str(one)) for one in ids[2:]]


def test_leftover_digests_show_the_missing_tail() -> None:
    sealed(1)
    ids = sealed(2)
    tampering.sql("DELETE FROM audit_seal WHERE number = 2")
    first = verify()["findings"][0]
    assert named(first) == ("cut_off", str(ids[0]))


def test_a_seal_removed_from_the_middle_is_named() -> None:
    sealed(1)
    sealed(1)
    sealed(1)
    drop_triggers()
    SealedEvent.objects.filter(seal_id=2).delete()
    AuditEvent.objects.filter(sealed=None).delete()
    Seal.objects.filter(pk=2).delete()
    first = verify()["findings"][0]
    assert (first["kind"], first["seal"]) == ("removed", 2)


COLUMNS: dict[str, object] = {
    "size": 7,
    "root": "0" * 64,
    "previous": "1" * 64,
    "log": UUID(int=3),
    "signature": "",
}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_seal_has_a_wrong_signature(column: str) -> None:
    sealed(2)
    drop_triggers()
    Seal.objects.update(**{column: COLUMNS[column]})
    first = verify()["findings"][0]
    assert (first["kind"], first["seal"]) == ("not_signed", 1)


def test_a_changed_head_is_found() -> None:
    sealed(2)
    drop_triggers()
    Seal.objects.update(head="0" * 64)
    assert named(only_finding()) == ("changed", None)


def test_checkpoints_find_a_resealed_log(checkpoints_file: Path) -> None:
    ids = sealed(2)
    outside = checkpoints_file.read_text()
    change(ids[0], reason="forged")
    tampering.start_anew(checkpoints_file)
    tampering.seal()
    assert verify()["ok"]
    checkpoints_file.write_text(outside)
    assert named(only_finding("--heads", str(checkpoints_file))) == ("begun_anew", None)


def test_checkpoints_find_a_resealed_tail(checkpoints_file: Path) -> None:
    sealed(2)
    sealed(2)
    outside = checkpoints_file.read_text()
    cut_off(from_seal=2)
    checkpoints_file.write_text(outside)
    sealed(2)
    finding = only_finding()
    assert (finding["kind"], finding["seal"]) == ("sealed_anew", 2)


def test_a_forged_line_outside_is_found(checkpoints_file: Path) -> None:
    sealed(1)
    signed = json.loads(checkpoints_file.read_text())
    checkpoints_file.write_text(json.dumps({**signed, "size": 9}))
    assert only_finding("--heads", str(checkpoints_file))["kind"] == "not_signed"


@pytest.mark.parametrize("given", [True, False])
def test_a_log_begun_anew_is_named(checkpoints_file: Path, given: bool) -> None:
    sealed(1)
    before = checkpoints_file.read_text()
    tampering.start_anew(checkpoints_file)
    tampering.seal()
    checkpoints_file.write_text(before + checkpoints_file.read_text())
    finding = only_finding(*(["--heads", str(checkpoints_file)] if given else []))
    assert finding["kind"] == "begun_anew"
    assert json.loads(before)["log"] in finding["words"]


def test_a_wiped_log_is_named() -> None:
    sealed(3)
    cut_off(from_seal=1)
    assert AuditEvent.objects.count() == 0
    finding = only_finding()
    assert (finding["kind"], finding["seal"]) == ("cut_off", 1)


def test_a_foreign_line_is_named_as_foreign(checkpoints_file: Path) -> None:
    sealed(1)
    foreign = {**json.loads(checkpoints_file.read_text()), "log": str(uuid7()), "number": 7}
    with checkpoints_file.open("a") as file:
        file.write(json.dumps(foreign) + "\n")
    sealed(1)
    finding = only_finding()
    assert (finding["kind"], finding["seal"]) == ("foreign", 7)
    assert finding["words"].endswith("is a foreign log's.")


def test_no_checkpoints_no_claim_about_the_tail(checkpoints_file: Path) -> None:
    sealed(1)
    checkpoints_file.unlink()
    errors = StringIO()
    call_command("verify_audit_log", stdout=StringIO(), stderr=errors)
    assert "nobody could see that the tail was cut off" in errors.getvalue()


@pytest.mark.parametrize("text", ["", "torn\n"])
def test_a_file_without_checkpoints_compares_nothing(text: str, checkpoints_file: Path) -> None:
    sealed(1)
    assert verify()["checkpoints"] == 1
    checkpoints_file.write_text(text)
    errors = StringIO()
    call_command("verify_audit_log", stdout=StringIO(), stderr=errors)
    assert "nobody could see that the tail was cut off" in errors.getvalue()
    with pytest.raises(CommandError, match="has no checkpoint") as refused:
        call_command("verify_audit_log", "--heads", str(checkpoints_file), stdout=StringIO())
    assert refused.value.returncode == 2


def test_a_missing_checkpoints_file_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("verify_audit_log", "--heads", str(tmp_path / "none"))
    assert refused.value.returncode == 2


@pytest.mark.parametrize("form", ["base64", "base64url", "pem", "file"])
def test_the_public_key_alone_is_enough(form: str, settings: Any, tmp_path: Path) -> None:
    sealed(2)
    key = signing_key().public_key()
    settings.AUDIT_SIGNING_KEY = secrets.token_bytes(32)
    assert verify()["findings"][0]["kind"] == "not_signed"
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    path = tmp_path / "key"
    path.write_text(pem if form == "pem" else as_text(key))
    urlsafe = base64.urlsafe_b64encode(key.public_bytes_raw()).decode().rstrip("=")
    given = {"base64": as_text(key), "base64url": urlsafe}.get(form, str(path))
    assert verify(f"--public-key={given}")["ok"]


def test_what_is_no_public_key_is_wrong_use() -> None:
    with pytest.raises(CommandError, match="Ed25519 public key"):
        call_command("verify_audit_log", "--public-key", "nonsense")


def test_an_old_public_key_still_verifies(settings: Any) -> None:
    sealed(2)
    old = signing_key().public_key().public_bytes_raw()
    settings.AUDIT_SIGNING_KEY = secrets.token_bytes(32)
    sealed(2)
    assert verify()["findings"][0]["kind"] == "not_signed"
    settings.AUDIT_PUBLIC_KEYS = [old]
    assert verify()["ok"]


def test_a_seal_by_somebody_elses_key_is_not_signed(settings: Any) -> None:
    ours = as_text(signing_key().public_key())
    settings.AUDIT_SIGNING_KEY = secrets.token_bytes(32)
    sealed(1)
    finding, *_ = verify("--public-key", ours)["findings"]
    assert finding["kind"] == "not_signed"
    assert "not among the known ones" in finding["words"]


def test_the_private_key_is_in_no_output(settings: Any) -> None:
    sealed(1)
    change(AuditEvent.objects.get().pk, reason="forged")
    seed = settings.AUDIT_SIGNING_KEY
    assert private_key(seed).public_key() == signing_key().public_key()
    shown = json.dumps(verify("--all"))
    assert base64.b64encode(seed).decode() not in shown
    assert seed.hex() not in shown


def test_postgresql_may_keep_json_in_its_own_way() -> None:
    """Keys in another order, a fraction of zero and a large exponent digest alike everywhere."""
    (event_id,) = record_events(1)
    details = {"b": 1.0, "a": [0.1, 1e22, -0.0, {"z": None, "y": "ü\U0001f980"}], "c": 10**30}
    change(event_id, details=details)
    event = AuditEvent.objects.filter(pk=event_id).values(*FIELDS).get()
    text = canonical(event_as_json(event)).decode()
    assert (
        '"details":{"a":[0.1,10000000000000000000000,0,{"y":"\\u00fc\\ud83e\\udd80","z":null}],'
        '"b":1,"c":1000000000000000000000000000000}' in text
    )
    tampering.seal()
    assert verify()["ok"], connection.vendor


def test_sealed_events_may_differ_by_clock_skew() -> None:
    """Should it be honest after all, the next seal clears it; until then it is suspected."""
    sealed(1)
    late = insert(ago=timedelta(seconds=2))
    assert named(only_finding()) == ("inserted", str(late))
    tampering.seal()
    assert verify()["ok"]
