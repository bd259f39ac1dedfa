"""What generators make of the document walks all three apps, and its types are right."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.sandbox_server import SandboxHandle, authorize
from tests.support.served_sandbox import PASSWORD, Served, served_with_sandbox

HERE = Path(__file__).parent
GENERATORS = Path(sys.prefix) / "clients"
SECONDS = 120
PEOPLE = {"ada": "python@example.com", "grace": "typescript@example.com"}

pytestmark = [
    pytest.mark.skipif(
        not (GENERATORS / ".ready").exists() and os.environ.get("CI") != "true",
        reason="there are no generators: make clients",
    ),
    pytest.mark.skipif("DATABASE_URL" in os.environ, reason="the service has its own database"),
    pytest.mark.timeout(3 * SECONDS),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with served_with_sandbox(folder, users=list(PEOPLE.values())) as served:
        yield served


@pytest.fixture
def project(tmp_path: Path, served: Served) -> Path:
    """Return a folder with the document and the programs that walk."""
    answer = requests.get(f"{served.url}/api/schema", headers={"Accept": "application/json"})
    (tmp_path / "schema.json").write_bytes(answer.content)
    for name in ("walk.py", "walk.ts", "tsconfig.json", "package.json"):
        shutil.copy(HERE / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(GENERATORS / "node_modules")
    return tmp_path


def run(project: Path, *command: str | Path) -> None:
    done = subprocess.run(
        command, cwd=project, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr


def walk(project: Path, sandbox: SandboxHandle, person: str, *command: str | Path) -> None:
    """Run a program, and go through the platform wherever it sends a browser."""
    with subprocess.Popen(
        command, cwd=project, text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Open "):
                address = line.removeprefix("Open ").strip()
                process.stdin.write(authorize(sandbox, address, person=person) + "\n")
    assert process.returncode == 0, "".join(said)
    assert said[-1] == "Walked\n"


def test_a_python_client(project: Path, served: Served) -> None:
    """By openapi-python-client; mypy's strict judgement is on the client and what uses it."""
    python = GENERATORS / "bin" / "python"
    (project / "generator.yaml").write_text("post_hooks: []\n")
    run(
        project, python, "-m", "openapi_python_client", "generate", "--path", "schema.json",
        "--output-path", "service", "--meta", "none", "--config", "generator.yaml",
        "--fail-on-warning",
    )  # fmt: skip
    strict = ("--strict", "--config-file=", "--cache-dir", "mypy", "--python-executable", python)
    run(project, sys.executable, "-m", "mypy", *strict, "walk.py")
    walk(project, served.sandbox, "ada", python, "walk.py", served.url, PEOPLE["ada"], PASSWORD)


def test_a_typescript_client(project: Path, served: Served) -> None:
    """By openapi-typescript and openapi-fetch, under TypeScript's strict rules."""
    programs = project / "node_modules" / ".bin"
    run(project, programs / "openapi-typescript", "schema.json", "--output", "schema.d.ts")
    run(project, programs / "tsc", "--project", "tsconfig.json")
    address, person = served.url, PEOPLE["grace"]
    walk(project, served.sandbox, "grace", "node", "walk.js", address, person, PASSWORD)
