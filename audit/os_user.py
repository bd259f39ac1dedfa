"""Who the operating system says runs a command."""

import getpass
import os


def os_user() -> str:
    """Name the user of the operating system, for the details of what a command does."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # In a container a process may run under a number that has no name.
        return str(os.getuid())
