"""Print what is recorded of each platform, as docs/platforms.md has it."""

import os
import sys

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.platforms.recorded.cells import table

    sys.stdout.write(f"{table()}\n")
