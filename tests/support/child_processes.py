"""The worker processes of a deployment."""

from pathlib import Path

from tests.support.deployment import Running


def children(running: Running) -> set[int]:
    """Return the processes that serve: the children of granian's own."""
    return children_of(running.process.pid)


def children_of(number: int) -> set[int]:
    text = Path(f"/proc/{number}/task/{number}/children").read_text(encoding="ascii")
    return {child for child in map(int, text.split()) if is_web_worker(child)}


def is_web_worker(process: int) -> bool:
    command = Path(f"/proc/{process}/cmdline").read_bytes()
    return b"resource_tracker" not in command
