"""`make dev-up`, `dev-connect` and `dev-down`, in a folder and at ports of their own."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from connections_project.sandbox.local import keys
from connections_project.sandbox.local.processes import ROOT
from tests.support.platform_server import free_port


def test_it_takes_other_ports(tmp_path: Path) -> None:
    keys.write(tmp_path / "keys.env")
    foreign = {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"}
    environment = {name: value for name, value in os.environ.items() if name not in foreign}
    environment |= {
        "DEBUG": "true",
        "DJANGO_SETTINGS_MODULE": "connections_project.settings",
        "ENV_FILE": str(tmp_path / "keys.env"),
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "AUDIT_HEADS_FILE": f"{tmp_path}/heads.jsonl",
    }

    def call(verb: str, *more: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "connections_project.sandbox.local.dev", verb]
        return subprocess.run(
            [*command, "--folder", str(tmp_path), *more],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=90,
        )

    def manage(*command: str) -> str:
        call_it = [sys.executable, "manage.py", *command]
        return subprocess.check_output(call_it, cwd=ROOT, env=environment, text=True, timeout=90)

    port, sandbox_port = str(free_port()), str(free_port())
    try:
        up = call("up", "--port", port, "--sandbox-port", sandbox_port)
        assert up.returncode == 0, up.stderr
        assert f"https://localhost:{port}" in up.stdout
        assert f"http://127.0.0.1:{sandbox_port}/issuer/token" in up.stdout
        # It finds what runs by itself.
        connected = call("connect")
        assert UUID(connected.stdout.strip()), connected.stderr
        # With what it says to export a command revokes at this sandbox, and not at the usual one.
        exported = re.search(r"^export (.+)$", up.stdout, re.MULTILINE)
        assert exported
        environment |= dict(one.split("=", 1) for one in shlex.split(exported[1]))
        connection_id = connected.stdout.strip()
        manage("disconnect_provider", connection_id, "--yes", "--reason", "over")
        assert "token_revoked success" in manage("show_audit_trail", connection_id)
    finally:
        down = call("down")
    assert down.stdout == "Stopped the sandbox.\nStopped the service.\nStopped the revocations.\n"
