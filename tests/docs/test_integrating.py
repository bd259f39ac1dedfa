"""The programs of docs/integrating.md, each run as it stands there against a served instance."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.support.process_environment import ROOT
from tests.support.sandbox_server import authorize
from tests.support.served_sandbox import PASSWORD, Served, served_with_sandbox

GUIDE = ROOT / "docs" / "integrating.md"
EMAIL = "reader@example.com"
SECONDS = 60


def program(language: str) -> str:
    """Return the blocks of a language, one after the other."""
    text = GUIDE.read_text(encoding="utf-8").partition("\n## Receiving events\n")[0]
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 5
    return "\n".join(blocks)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with served_with_sandbox(folder, users=[EMAIL]) as served:
        yield served


@contextmanager
def running(command: list[str], base_url: str) -> Iterator["subprocess.Popen[str]"]:
    reader = {"BASE_URL": base_url, "EMAIL": EMAIL, "PASSWORD": PASSWORD, "PLATFORM": "sandbox"}
    with subprocess.Popen(
        command,
        env=os.environ | reader,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def is_connected_and_disconnected(command: list[str], served: Served) -> None:
    with running(command, served.url) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Open "), line + process.stdout.read()
        came_back_to = authorize(served.sandbox, line.removeprefix("Open ").strip())
        said, _ = process.communicate(f"{came_back_to}\n", timeout=SECONDS)
    assert process.returncode == 0, said
    assert "Connected: active" in said
    assert re.search(r"\d accounts? read; the first holds \d+\.\d\d", said)
    assert "Disconnected: disconnected" in said
    assert "Erased here: credentials; at the platform: revoked" in said


def test_the_python_program(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "client.py"
    path.write_text(program("python"), encoding="utf-8")
    is_connected_and_disconnected([sys.executable, str(path)], served)


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js on this machine")
def test_the_javascript_program(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "client.mjs"
    path.write_text(program("javascript"), encoding="utf-8")
    is_connected_and_disconnected(["node", str(path)], served)


def test_a_planted_answer_is_refused(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "client.py"
    path.write_text(program("python"), encoding="utf-8")
    with running([sys.executable, str(path)], served.url) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("Open ").strip()
        foreign = requests.Request(
            "GET", served.sandbox.redirect_uri, params={"code": "x", "state": "y"}
        )
        said, _ = process.communicate(f"{foreign.prepare().url}\n", timeout=SECONDS)
    assert url.startswith(served.sandbox.url)
    assert process.returncode == 1
    assert "belongs to another flow" in said
