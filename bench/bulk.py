"""Ending very many connections at once, beside the plainest SQL that does the same.

Both write the same rows: the connections, a revocation job each, two audit events each.
"""

import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from statistics import median

import psycopg
from django.db import connection

from audit.models import AuditEvent
from bench import seed
from bench.environment import ROOT, Environment
from bench.inserts import literals
from connections_project.revocation.models import RevocationJob
from providers.models import Connection

BATCH = 1000
LONGEST_SECONDS = 900
# Rows of one statement, which then keeps to the service's own limit.
AT_ONCE = 50_000
# Ours and plain, then the other way round: whoever comes later finds larger tables.
TURNS = ("ours", "plain", "plain", "ours")

CHOOSE = """
SELECT providers_connection.id FROM providers_connection
JOIN identity_user ON identity_user.id = user_id
WHERE email = %(email)s AND status <> 'disconnected' ORDER BY providers_connection.id
"""
LOCK = "SELECT id FROM providers_connection WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE"
REMOVE_HOLDERS = "DELETE FROM revocation_granthold WHERE connection_id = ANY(%(ids)s)"
END = """
UPDATE providers_connection SET status = 'disconnected', auth_state = NULL, epoch = epoch + 1,
has_refresh_token = false, token_issued_at = NULL, token_expires_at = NULL,
grant_expires_at = NULL, disconnected_at = now(), updated_at = now() WHERE id = ANY(%(ids)s)
"""
JOB = {
    "id": "gen_random_uuid()",
    "app": "'providers'",
    "platform": "provider_slug",
    "connection_id": "id",
    "owner_id": "user_id",
    "authority": "authority",
    "client_id": "client_id",
    "platform_user_id": "granting_user_id",
    "sealed_tokens": "auth_state",
    "created_at": "now()",
    "due_at": "now()",
    "trace_id": "md5('bench')",
}
EVENT = {
    "id": "gen_random_uuid()",
    "occurred_at": "now()",
    "outcome": "'success'",
    "actor_type": "'operator'",
    "interface": "'command'",
    "subject_type": "'providers.connection'",
    "subject_id": "id",
    "subject_owner_id": "user_id",
    "reason": "'bench'",
    "trace_id": "md5('bench')",
    "details": """'{"platform": "bench", "os_user": "bench"}'""",
}


@dataclass
class Race:
    """What both took.

    Args:
        connections: How many were ended in each turn.
        seconds: Of each turn, by whose it was.
        peak_kib: The most resident memory that our process had.
    """

    connections: int
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"ours": [], "plain": []})
    peak_kib: int = 0

    def per_second(self, whose: str) -> float:
        return self.connections / median(self.seconds[whose])

    @property
    def ratio(self) -> float:
        return self.per_second("ours") / self.per_second("plain")


def race(environment: Environment, *, connections: int) -> Race:
    """End so many connections by the command and by plain SQL, each twice in turns.

    Args:
        connections: How many in all, of each.
    """
    result = Race(connections // 2)
    for number, whose in enumerate(TURNS):
        email = lay_out(f"bulk-{number}", result.connections)
        began = time.perf_counter()
        if whose == "ours":
            result.peak_kib = max(result.peak_kib, by_the_command(email).ru_maxrss)
        else:
            _by_plain_sql(environment, email)
        result.seconds[whose].append(time.perf_counter() - began)
        require_ended(email)
    return result


def lay_out(kind: str, number: int) -> str:
    """Make a user with so many connections, the copies of one; their tokens are never opened."""
    (person,) = seed.people(kind, number=1, connections=1)
    fresh = {"id": "fresh", "platform_account_id": "fresh", "granting_user_id": "fresh"}
    columns = [column.attname for column in Connection._meta.concrete_fields]
    values = ", ".join(fresh.get(column, column) for column in columns)
    with connection.cursor() as cursor:
        for begin in range(1, number, AT_ONCE):
            cursor.execute(
                f"INSERT INTO providers_connection ({', '.join(columns)}) SELECT {values} "
                "FROM providers_connection, "
                "LATERAL (SELECT gen_random_uuid() AS fresh FROM generate_series(1, %s)) AS copies "
                "WHERE id = %s",
                [min(AT_ONCE, number - begin), person.connections[0]],
            )
            cursor.execute(
                "INSERT INTO revocation_granthold "
                "(id, connection_id, app, authority, client_id, platform_user_id) "
                "SELECT gen_random_uuid(), id, 'providers', authority, client_id, granting_user_id "
                "FROM providers_connection WHERE user_id = (SELECT user_id FROM "
                "providers_connection WHERE id = %s) AND NOT EXISTS (SELECT 1 FROM "
                "revocation_granthold WHERE connection_id = providers_connection.id)",
                [person.connections[0]],
            )
        cursor.execute("ANALYZE providers_connection, revocation_granthold")
    return person.email


def by_the_command(email: str) -> resource.struct_rusage:
    """Run the command as an operator would, and give what it used."""
    command = (
        *(sys.executable, "manage.py", "disconnect_provider", "--user", email),
        *("--reason", "bench", "--yes", "--json"),
    )
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"disconnect_provider ended with {os.waitstatus_to_exitcode(status)}")
    return used


def _by_plain_sql(environment: Environment, email: str) -> None:
    job = literals(RevocationJob, JOB)
    events = [
        literals(AuditEvent, EVENT | {"action": f"'{action}'"})
        for action in ("provider_disconnected", "connection_force_disconnected")
    ]
    with psycopg.connect(environment.database_url) as plain:
        chosen = [one for (one,) in plain.execute(CHOOSE, {"email": email})]
        plain.commit()
        for start in range(0, len(chosen), BATCH):
            ids = chosen[start : start + BATCH]
            plain.execute(LOCK, {"ids": ids})
            plain.execute(REMOVE_HOLDERS, {"ids": ids})
            plain.execute(_copy("revocation_revocationjob", job), {"ids": ids})
            plain.execute(END, {"ids": ids})
            for event in events:
                plain.execute(_copy("audit_auditevent", event), {"ids": ids})
            plain.commit()


def _copy(table: str, row: dict[str, str]) -> bytes:
    columns, values = ", ".join(row), ", ".join(row.values())
    source = "FROM providers_connection WHERE id = ANY(%(ids)s)"
    return f"INSERT INTO {table} ({columns}) SELECT {values} {source}".encode()


def require_ended(email: str) -> None:
    """Raise RuntimeError where some of a user's connections are not disconnected."""
    left = Connection.objects.filter(user__email=email).exclude(status="disconnected").count()
    if left:
        raise RuntimeError(f"{left} connections were not ended")
