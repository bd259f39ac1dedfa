"""What PostgreSQL itself can do of the same transaction, asked by pgbench over loopback."""

import re
import shutil
import subprocess

from django.db import connection, models

from audit.models import AuditEvent
from bench import seed
from bench.environment import Environment
from bench.inserts import literals
from connections_project.revocation.models import RevocationJob

LONGEST_SECONDS = 120

# The statements of a disconnect as the service sends them; whose turn it is costs one more.
TRANSACTION = """
SELECT id, user_id AS owner FROM bench_queue WHERE n = (SELECT nextval('bench_turn')) \\gset
SELECT * FROM identity_user WHERE is_active AND id = ':owner' ORDER BY id LIMIT 1;
BEGIN;
SELECT * FROM providers_connection WHERE deleted_at IS NULL AND id = ':id' FOR UPDATE;
DELETE FROM revocation_granthold WHERE connection_id = ':id';
{job};
UPDATE providers_connection SET status = 'disconnected', auth_state = NULL, epoch = epoch + 1,
  has_refresh_token = false, token_issued_at = NULL, token_expires_at = NULL,
  grant_expires_at = NULL, disconnected_at = now(), updated_at = now() WHERE id = ':id';
{event};
COMMIT;
"""
JOB = {
    "id": "gen_random_uuid()",
    "app": "'providers'",
    "platform": "'bench'",
    "connection_id": "':id'",
    "owner_id": "':owner'",
    "authority": "'127.0.0.1:9'",
    "client_id": "'bench'",
    "platform_user_id": "':id'",
    # As long as a sealed pair of tokens is.
    "sealed_tokens": "repeat('s', 400)",
    "created_at": "now()",
    "due_at": "now()",
    "trace_id": "md5(':id')",
}
EVENT = {
    "id": "gen_random_uuid()",
    "occurred_at": "now()",
    "action": "'provider_disconnected'",
    "outcome": "'success'",
    "actor_type": "'user'",
    "actor_id": "':owner'",
    "interface": "'api'",
    "subject_type": "'providers.connection'",
    "subject_id": "':id'",
    "subject_owner_id": "':owner'",
    "trace_id": "md5(':id')",
    "client_address": "'127.0.0.1'",
    "details": """'{"platform": "bench", "credentials_erased": true}'""",
}


def limits(environment: Environment, *, lanes: tuple[int, ...], rows: int) -> dict[int, float]:
    """Return disconnects a second at each number of connections; none where pgbench is lacking.

    Args:
        rows: How many connections are ended at each.
    """
    pgbench = shutil.which("pgbench")
    if pgbench is None:
        return {}
    script = environment.folder / "disconnect.sql"
    job, event = _insert(RevocationJob, JOB), _insert(AuditEvent, EVENT)
    script.write_text(TRANSACTION.format(job=job, event=event), encoding="utf-8")
    found = {}
    for number in lanes:
        _lay_out(rows, kind=f"limit-{number}")
        tries = ("-c", str(number), "-t", str(rows // number))
        found[number] = _run([pgbench, "-n", "-f", str(script), *tries, environment.database_url])
    return found


def _insert(model: type[models.Model], values: dict[str, str]) -> str:
    row = literals(model, values)
    return (
        f"INSERT INTO {model._meta.db_table} ({', '.join(row)}) VALUES ({', '.join(row.values())})"
    )


def _lay_out(rows: int, *, kind: str) -> None:
    seed.people(kind, number=rows // 40, connections=40)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_queue")
        cursor.execute("DROP SEQUENCE IF EXISTS bench_turn")
        cursor.execute("CREATE SEQUENCE bench_turn")
        cursor.execute(
            "CREATE TABLE bench_queue AS SELECT row_number() OVER () AS n, connections.id, user_id "
            "FROM providers_connection connections JOIN identity_user users "
            "ON users.id = user_id WHERE users.email LIKE %s",
            [f"{kind}-%"],
        )
        cursor.execute("ALTER TABLE bench_queue ADD PRIMARY KEY (n)")


def _run(command: list[str]) -> float:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False
    )
    match = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    if done.returncode or match is None:
        raise RuntimeError(f"pgbench failed:\n{done.stderr[-2000:]}")
    return float(match[1])
