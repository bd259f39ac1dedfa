"""Print what is recorded of each platform, as docs/platforms.md has it."""

import sys

from tests.platforms.recorded.cells import table

sys.stdout.write(f"{table()}\n")
