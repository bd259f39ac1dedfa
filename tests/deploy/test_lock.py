"""What production installs is what requirements.txt names, whole, and each package by its hash."""

import re

from tests.support.process_environment import ROOT

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", flags=re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    return {name.lower().replace("_", "-"): version for name, version in PIN.findall(text)}


def test_each_requirement_is_locked() -> None:
    required = pins((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    assert required.items() <= pins(LOCK).items(), "call `make lock`"


def test_each_package_has_its_hashes() -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", LOCK.partition("make lock\n")[2].strip())
    assert len(entries) == len(pins(LOCK)) > 40
    assert all("--hash=sha256:" in entry for entry in entries)
