"""How the database is spoken to, as its address and two knobs say."""

from typing import Any

from tests.conf.conftest import load

URL = "postgres://user@db.example.com/name"


def database(**variables: str) -> dict[str, Any]:
    found: dict[str, Any] = load(**variables)["DATABASES"]["default"]
    return found


def test_postgresql_has_a_pool_of_the_set_size() -> None:
    found = database(DATABASE_URL=URL, DATABASE_POOL_SIZE="7")
    assert found["OPTIONS"]["pool"]["max_size"] == 7
    # What the pool hands out is looked at without a round trip, and goes back after each request.
    assert (found["CONN_HEALTH_CHECKS"], found["CONN_MAX_AGE"]) == (False, 0)


def test_behind_a_pooler_threads_keep_a_connection() -> None:
    found = database(DATABASE_URL=URL, DATABASE_POOL_SIZE="0")
    assert (found["CONN_HEALTH_CHECKS"], found["CONN_MAX_AGE"]) == (True, 60)
    assert found["DISABLE_SERVER_SIDE_CURSORS"] is True
    # It would refuse the first, and a session that it hands out knows nothing of the other two.
    of_a_session = {"options", "server_side_binding", "prepare_threshold"}
    assert not {"pool", *of_a_session} & set(found["OPTIONS"])


def test_pooled_sessions_prepare_statements() -> None:
    options = database(DATABASE_URL=URL)["OPTIONS"]
    assert (options["server_side_binding"], options["prepare_threshold"]) == (True, 5)


def test_statements_and_connecting_have_timeouts() -> None:
    options = database(DATABASE_URL=URL)["OPTIONS"]
    assert "-c statement_timeout=30s" in options["options"]
    assert options["connect_timeout"] == 4
    longer = database(DATABASE_URL=URL, DATABASE_STATEMENT_TIMEOUT_SECONDS="600")
    assert "-c statement_timeout=600s" in longer["OPTIONS"]["options"]


def test_options_of_the_address_win() -> None:
    options = database(DATABASE_URL=f"{URL}?sslmode=require&connect_timeout=1")["OPTIONS"]
    assert (options["sslmode"], str(options["connect_timeout"])) == ("require", "1")


def test_sqlite_waits_for_writers_without_a_pool() -> None:
    options = database()["OPTIONS"]
    assert (options["transaction_mode"], options["timeout"]) == ("IMMEDIATE", 20)
    assert "pool" not in options


def test_sqlite_has_on_disk_what_was_answered() -> None:
    command = database(DATABASE_URL="sqlite:////tmp/one.sqlite3")["OPTIONS"]["init_command"]
    assert "synchronous=FULL" in command
