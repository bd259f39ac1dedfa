"""What the platforms page knows of connections and circuits."""

from connections_project.admin.formatting import exact_time
from connections_project.connections.registry import (
    DISCONNECTED,
    ConnectionType,
    Rows,
    connection_types,
)
from connections_project.platforms.admin import PlatformFacts
from connections_project.revocation.circuits import open_until
from connections_project.revocation.models import CallCircuit, Circuit, PlatformCircuit, PostCircuit

# More are not counted: the page is to open at any size.
MOST_COUNTED = 10_000


def platform_facts(slug: str, app: str) -> PlatformFacts:
    """Return the facts of a platform, by bounded counts along indexes."""
    one = next((each for each in connection_types() if each.app == app), None)
    if one is None:
        return PlatformFacts()
    live = one.rows.filter(**{one.model.platform_column: slug}).exclude(status=DISCONNECTED)
    count = _bounded(live)
    return PlatformFacts(count, _trouble(slug), (_stops(count), *_scheduled(one, live)))


def _bounded(rows: Rows) -> str:
    found = rows.order_by()[: MOST_COUNTED + 1].count()
    return f"more than {MOST_COUNTED:,}" if found > MOST_COUNTED else f"{found:,}"


def _stops(count: str) -> str:
    one = count == "1"
    return (
        f"{count} live {'connection' if one else 'connections'} there {'is' if one else 'are'} "
        "neither refreshed nor synced nor published through until it is resumed."
    )


def _scheduled(one: ConnectionType, live: Rows) -> tuple[str, ...]:
    waiting = one.active_schedules(live[:MOST_COUNTED]) if one.active_schedules else 0
    return (f"{waiting:,} scheduled posts wait for that.",) if waiting else ()


def _trouble(slug: str) -> tuple[str, ...]:
    kinds: dict[str, type[PlatformCircuit]] = {
        "revocations wait": Circuit,
        "calls wait": CallCircuit,
        "posts wait": PostCircuit,
    }
    found = {words: open_until(kind, slug) for words, kind in kinds.items()}
    return tuple(f"{words} until {exact_time(until)}" for words, until in found.items() if until)
