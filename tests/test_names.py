"""Modules, classes and functions bear the field's words, not the ones that only we would know."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
# fmt: off
PRIVATE = frozenset({
    "admission", "anywhere", "arrival", "bringer", "bury", "chore", "crop", "deed",
    "departures", "door", "fault", "front_page", "glance", "gossip", "grave", "harvest",
    "house", "housekeeping", "let_go", "matter", "nudge", "owe", "roof", "stage", "story",
    "tell_soon", "told", "wish", "witness", "work_off",
})
# fmt: on
