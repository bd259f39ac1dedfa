"""What `make test` runs on one of its two stacks alone, since the other would prove no more."""

from typing import Any

FIRST, SECOND = "first", "second"

# What stands here without a database asks Redis for nothing either, and the processes that it
# starts have an environment of their own. A folder that isn't listed runs on both stacks.
WITHOUT_SERVERS = (
    "tests/conf/",
    "tests/demo/test_background.py",
    "tests/demo/test_container_files.py",
    "tests/demo/test_demo.py",
    "tests/demo/test_dev.py",
    "tests/demo/test_env_file.py",
    "tests/docs/",
    "tests/oauth/",
    "tests/sandbox/",
    "tests/server/",
    "tests/test_imports.py",
    "tests/test_names.py",
    "tests/test_ports.py",
)
# How pages look, and what clients make of the OpenAPI document: no database changes either.
LOOKS = (
    "tests/browser/test_admin_accessibility.py",
    "tests/browser/test_docs_page.py",
    "tests/browser/test_person_pages.py",
    "tests/browser/test_screenshots.py",
    "tests/clients/",
)
# Bodies that are refused before anything is asked of a database.
REFUSED_BODIES = (
    "tests/api/test_walked_bodies.py",
    "tests/middleware/test_refusals_in_the_log.py::test_wrong_bodies",
)
# Odd values: PostgreSQL refuses all that SQLite does, and more.
ODD_VALUES = ("tests/admin/test_odd_values.py", "tests/openapi/test_properties.py")
DATABASE_FIXTURES = frozenset({"db", "transactional_db", "django_db_setup"})


def is_left_to_the_other(item: Any, stack: str) -> bool:
    """Whether a collected test is left out on a stack.

    Args:
        stack: FIRST is SQLite, with all else in process; SECOND is PostgreSQL with Redis.
    """
    nodeid: str = item.nodeid
    if stack == FIRST:
        return nodeid.startswith(ODD_VALUES)
    takes_database = item.get_closest_marker("django_db") or DATABASE_FIXTURES.intersection(
        item.fixturenames
    )
    is_without = not takes_database and nodeid.startswith(WITHOUT_SERVERS)
    return is_without or nodeid.startswith(LOOKS + REFUSED_BODIES)
