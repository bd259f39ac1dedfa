"""How many files a process may have open; each connection is one."""

import resource

ENOUGH = 65_536


def allow_open_files() -> None:
    """Allow this process as many as the system lets it: often 1,024 until it asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
