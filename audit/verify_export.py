"""Verify an export of the audit log; needs Python and `cryptography`, and nothing else of ours.

python verify_export.py EXPORT --public-key KEY [--public-key OLD_KEY] [--heads FILE]

KEY is the base64 of the 32 bytes of an Ed25519 public key. The first event that was changed,
removed or inserted is named, and the exit code is then 1; 2 is wrong use.
"""

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Line = dict[str, Any]
CLOCKS_MAY_DIFFER_BY = timedelta(seconds=5)
# What reading a line that nobody of ours wrote may raise.
ODD = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)
NEVER = "1970-01-01T00:00:00+00:00"


class TamperedError(Exception):
    """The export is not what was sealed, or not what was exported."""


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def canonical(value: Line) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def key_id(raw: bytes) -> str:
    """Name a public key by its thumbprint (RFC 7638, RFC 8037)."""
    x = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    thumbprint = sha256(canonical({"crv": "Ed25519", "kty": "OKP", "x": x}))
    return base64.urlsafe_b64encode(thumbprint).decode().rstrip("=")


def root(leaves: list[bytes]) -> bytes:
    """Digest the leaves of a Merkle tree (RFC 9162, section 2.1.1)."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:]))


def led_to(leaf: bytes, proof: list[list[str]]) -> bytes:
    for side, digest in proof:
        other = bytes.fromhex(digest)
        leaf = sha256(b"\x01" + (other + leaf if side == "left" else leaf + other))
    return leaf


def known_outside(checkpoints: Iterable[str | bytes]) -> tuple[str, dict[int, str]]:
    """Return whose log a file of checkpoints is, that of its first line, and the seals' signatures.

    A line that a crash tore is passed over: the sealer has written the same seal again.

    Raises:
        TamperedError: A line is another log's, or has an earlier one's seal as another.
    """
    log, known = "", dict[int, str]()
    for number, text in enumerate(checkpoints, start=1):
        try:
            line = json.loads(text)
            log, seal, signature = log or line["log"], line["number"], line["signature"]
            is_foreign, is_same = line["log"] != log, known.setdefault(seal, signature) == signature
        except ODD:
            continue
        name = f"Line {number} of the checkpoints"
        if is_foreign:
            raise TamperedError(f"{name} is a foreign log's: {line['log']}.")
        if not is_same:
            raise TamperedError(f"{name} has seal {seal} as another than before: sealed anew.")
    return log, known


def public_key(text: str) -> str:
    """Return a key back that is one; argparse says of any other that it is wrong."""
    Ed25519PublicKey.from_public_bytes(base64.b64decode(text))
    return text


class Reading:
    """One pass over an export, in flat memory."""

    def __init__(
        self, public_keys: list[str], checkpoints: Iterable[str | bytes], accepted: list[str]
    ) -> None:
        raw_keys = [base64.b64decode(text) for text in public_keys]
        self.keys = {key_id(raw): Ed25519PublicKey.from_public_bytes(raw) for raw in raw_keys}
        self.outside, self.checkpoints = known_outside(checkpoints)
        self.accepted, self.digest = set(accepted), hashlib.sha256()
        self.log = ""
        self.seal: Line = {"number": 0, "size": 0}
        self.last = -1  # The position of the last event that was read of this seal.
        self.head, self.complete_until = "0" * 64, NEVER
        self.everything = self.ended = False
        self.first, self.through = 1, None
        self.events = self.unsealed = self.unreadable = 0

    def read(self, lines: Iterable[bytes]) -> None:
        for number, text in enumerate(lines, start=1):
            try:
                line = json.loads(text)
                self.require_place(line["kind"], number)
                getattr(self, f"on_{line['kind']}")(line)
            except ODD:
                raise TamperedError(f"Line {number} is not what an export has.") from None
            self.digest.update(text)
        if not self.ended:
            raise TamperedError("The tail was cut off: the export's last line is missing.")

    def require_place(self, kind: str, number: int) -> None:
        """Require that nothing follows the signed end, and that `export` is the first line alone.

        A second one could make a part of the log look like everything.
        """
        if self.ended:
            raise TamperedError(f"Line {number} was inserted after the last line, the signed end.")
        if (kind == "export") is not (number == 1):
            raise TamperedError(f"Line {number} is {kind}: `export` is the first line alone.")

    def on_export(self, line: Line) -> None:
        self.everything = not any(line["selection"].values())
        if "after" in line:
            # What comes before is in earlier archives, with whose last head this begins.
            self.seal = {"number": int(line["after"]["seal"]), "size": 0}
            self.head = line["after"]["head"]
        self.first, self.through = self.seal["number"] + 1, line.get("through")

    def on_seal(self, line: Line) -> None:
        self.close_seal()
        number = line["number"]
        signed = {name: value for name, value in line.items() if name != "digests"}
        self.verify(signed, f"seal {number}")
        if self.everything and number != self.seal["number"] + 1:
            raise TamperedError(f"Seal {self.seal['number'] + 1} was removed, with its events.")
        if self.everything and line["previous"] != self.head:
            raise TamperedError(f"Seal {number} follows another seal than the one before it.")
        self.log = self.log or line["log"]
        if line["log"] != self.log:
            raise TamperedError(f"Seal {number} is a foreign log's: {line['log']}.")
        if self.outside not in {"", self.log}:
            raise TamperedError(f"The log was begun anew: log {self.outside} is known outside.")
        if self.checkpoints.get(number, line["signature"]) != line["signature"]:
            raise TamperedError(f"Seal {number} is known outside as another: sealed anew.")
        if "digests" in line and root([*map(bytes.fromhex, line["digests"])]).hex() != line["root"]:
            raise TamperedError(f"The digests of seal {number} were changed.")
        self.complete_until = self.seal.get("complete_until", NEVER)
        del signed["signature"]
        self.seal, self.last, self.head = line, -1, sha256(canonical(signed)).hex()

    def on_event(self, line: Line) -> None:
        event, seal, name = line["event"], self.seal, f"Event {line['event']['id']}"
        self.events += 1
        if line["seal"] is None:
            self.unsealed += 1
            self.complete_until = seal.get("complete_until", NEVER)
        else:
            self.place(line, name)
        if self.is_late(event, is_sealed=line["seal"] is not None):
            raise TamperedError(f"{name} was inserted: it is older than an earlier seal's end.")

    def on_unreadable(self, line: Line) -> None:
        """Take a row that could not be exported: nothing vouches for one that has no seal."""
        if line["seal"] is not None:
            raise TamperedError(f"Event {line['event_id']} was changed (seal {line['seal']}).")
        self.unreadable += 1

    def is_late(self, event: Line, *, is_sealed: bool) -> bool:
        """Whether an event is older than what an earlier seal has closed without it."""
        closed = datetime.fromisoformat(self.complete_until)
        tolerance = CLOCKS_MAY_DIFFER_BY if is_sealed else timedelta(0)
        is_older = datetime.fromisoformat(event["occurred_at"]) + tolerance < closed
        return is_older and event["id"] not in self.accepted

    def place(self, line: Line, name: str) -> None:
        """Check that the event is where its seal has it."""
        position, seal = line["position"], self.seal
        if line["seal"] != seal["number"] or not self.last < position < seal["size"]:
            raise TamperedError(f"{name} was inserted (after seal {seal['number']}, {self.last}).")
        leaf = sha256(b"\x00" + canonical(line["event"]))
        if "digests" in seal:
            self.expect(position)
            is_good = leaf.hex() == seal["digests"][position]
        else:
            is_good = led_to(leaf, line["proof"]).hex() == seal["root"]
        if not is_good:
            raise TamperedError(f"{name} was changed (seal {seal['number']}, position {position}).")
        self.last = position

    def on_end(self, line: Line) -> None:
        self.close_seal()
        if self.through is not None and self.through != self.seal["number"]:
            raise TamperedError(f"The tail was cut off: the archive ends with seal {self.through}.")
        end = self.through or max(self.checkpoints, default=0)
        cut = [number for number in self.checkpoints if self.seal["number"] < number <= end]
        if self.everything and cut:
            raise TamperedError(
                f"The tail was cut off: seal {min(cut)} is known outside. An export from before"
                " that seal fails so too: copy the checkpoints, export again, and give it the copy."
            )
        self.verify(line, "the last line")
        if line["sha256"] != self.digest.hexdigest():
            raise TamperedError("The export was changed after it was made.")
        self.ended = True

    def close_seal(self) -> None:
        if "digests" in self.seal:
            self.expect(self.seal["size"])

    def expect(self, position: int) -> None:
        """Require that no event is missing before a position."""
        if position != self.last + 1:
            place = f"seal {self.seal['number']}, position {self.last + 1}"
            raise TamperedError(f"An event was removed ({place}).")

    def verify(self, line: Line, name: str) -> None:
        signed = {one: value for one, value in line.items() if one != "signature"}
        if line["kid"] not in self.keys:
            raise TamperedError(f"The signature of {name} is by key {line['kid']}: unknown.")
        try:
            self.keys[line["kid"]].verify(base64.b64decode(line["signature"]), canonical(signed))
        except InvalidSignature:
            raise TamperedError(f"The signature of {name} is wrong.") from None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("export", help="the file, or - for standard input")
    parser.add_argument(
        "--public-key", action="append", required=True, metavar="KEY", type=public_key
    )
    parser.add_argument("--heads", metavar="FILE", help="the seals as they were kept outside")
    parser.add_argument("--accept", action="append", default=[], metavar="EVENT_ID")
    given = parser.parse_args()
    try:
        checkpoints = open(given.heads, "rb") if given.heads else ()  # noqa: SIM115
        reading = Reading(given.public_key, checkpoints, given.accept)
        if given.heads and not reading.checkpoints:
            parser.error(f"{given.heads} has no checkpoint")
        reading.read(sys.stdin.buffer if given.export == "-" else open(given.export, "rb"))  # noqa: SIM115
    except TamperedError as error:
        # What was inserted may hold what moves a terminal.
        sys.exit(str(error).encode("unicode_escape").decode())
    except OSError as error:
        parser.error(f"{error.filename}: {error.strerror}")
    scope = "everything up to" if reading.everything else "a part, up to"
    if reading.everything and reading.first > 1:
        scope = f"everything from seal {reading.first} to"
    print(f"This is what was sealed: {reading.events} events, {scope} seal {reading.seal['number']}"  # noqa: T201
          f"; {reading.unsealed} of them are not sealed yet.")  # fmt: skip
    if reading.unreadable:
        print(f"Rows of the log that could not be read: {reading.unreadable}.")  # noqa: T201


if __name__ == "__main__":
    main()
