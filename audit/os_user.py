"""Who the operating system says runs a command."""

import getpass
import os


def os_user() -> str:
    """Return the operating system's user, for the audit details of a command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # In a container a process may run under a number that has no name.
        return str(os.getuid())
