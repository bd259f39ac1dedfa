"""What `make test` leaves out on its second stack: it has just run the same on the first.

A test that takes the database is never left out, whatever folder it stands in.
"""

from typing import Any

# What stands here without a database asks Redis for nothing either, and the processes that it
# starts have an environment of their own. A folder that isn't listed runs on both stacks.
SAME_ON_BOTH = (
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
)
DATABASE_FIXTURES = frozenset({"db", "transactional_db", "django_db_setup"})


def is_same_on_both(item: Any) -> bool:
    """Whether a collected test does the same whatever DATABASE_URL and REDIS_URL name."""
    takes_database = item.get_closest_marker("django_db") or DATABASE_FIXTURES.intersection(
        item.fixturenames
    )
    return not takes_database and item.nodeid.startswith(SAME_ON_BOTH)
