"""A database's role may have settings of its own; the service reads dates and text all the same."""

from collections.abc import Iterator

import pytest

from tests.faults.conftest import Deploy
from tests.faults.test_postgresql_restarts import run
from tests.support.bank import Bank
from tests.support.pgbouncer import pgbouncer
from tests.support.postgresql_cluster import Cluster, cluster

READ = r"""
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute(r"SELECT now(), current_date, %s::text, %s::bytea", [r"a\b'ü", b"\0\\"])
    now, today, text, data = cursor.fetchone()
assert now.date() == today and (text, bytes(data)) == (r"a\b'ü", b"\0\\")
"""


@pytest.fixture(scope="module")
def database() -> Iterator[Cluster]:
    with cluster() as running:
        running.run("ALTER ROLE postgres SET datestyle = 'SQL, DMY'")
        running.run("ALTER ROLE postgres SET intervalstyle = 'sql_standard'")
        running.run("ALTER ROLE postgres SET bytea_output = 'escape'")
        running.run("ALTER ROLE postgres SET standard_conforming_strings = off")
        running.run("ALTER ROLE postgres SET client_encoding = 'latin1'")
        running.run("ALTER ROLE postgres SET timezone = 'Asia/Tokyo'")
        yield running


def test_in_sessions_of_its_own(db: None, bank: Bank, deploy: Deploy, database: Cluster) -> None:
    run(deploy(DATABASE_URL=database.url), "-c", READ)


def test_behind_a_pooler(db: None, bank: Bank, deploy: Deploy, database: Cluster) -> None:
    with pgbouncer(database) as url:
        run(deploy(DATABASE_URL=url, DATABASE_POOL_SIZE="0"), "-c", READ)
