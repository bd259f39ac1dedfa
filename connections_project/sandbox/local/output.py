"""What the local set-ups print."""

import os
import sys


def say(line: str) -> None:
    """Print a line at once; a reader that has left gets nothing more, and nobody else minds."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # What it has kept Python would write at its end, and fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
