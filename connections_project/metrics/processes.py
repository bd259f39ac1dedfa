"""The metrics of the processes: of this one, or the sums over all that share a folder.

prometheus-client leaves a file for each process that ever was. Without that of a dead one the sums
would fall, which reads as a restart of everything; so it is added to one file for all the dead.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from connections_project.conf.metrics_folder import alone_in, kept_in, left_by_the_dead
from connections_project.core.instruments import REGISTRY
from connections_project.core.metric_files import MetricFile


def process_metrics(folder: Path | None) -> Iterable[Metric]:
    """Return what was counted and timed since the start.

    Args:
        folder: Where the processes keep their metrics; None for this process alone.
    """
    if folder is None:
        return REGISTRY.collect()
    try:
        with alone_in(folder):
            _add_up_the_dead(folder)
            return _read(folder)
    except OSError:
        # The folder may be for reading alone by now, so that nobody cleans up in it meanwhile.
        return _read(folder)


def _add_up_the_dead(folder: Path) -> None:
    for path, kind in left_by_the_dead(folder):
        # The disk may be full, or the file be kept from us. It then stays what it is, and counts.
        with suppress(OSError), path.open("r+b") as left:
            _add(path, to=folder / f"{kind}_dead.db")
            # Where it can't be deleted it is not to count twice.
            left.truncate(0)
            path.unlink()


def _read(folder: Path) -> list[Metric]:
    # A process makes its file empty first, and only then as long as it needs to be.
    kept = [path for path in kept_in(folder) if path.stat().st_size and os.access(path, os.R_OK)]
    return list(MultiProcessCollector.merge(map(str, kept)))  # type: ignore[no-untyped-call]


def _add(path: Path, *, to: Path) -> None:
    if not (size := path.stat().st_size):
        return  # Its process died before it counted anything.
    sums = MetricFile(str(to))
    try:
        sums.make_room(size)
        for key, value, _, _ in MetricFile.read_all_values_from_file(str(path)):  # type: ignore[no-untyped-call]
            before, _ = sums.read_value(key)  # type: ignore[no-untyped-call]
            sums.write_value(key, before + value, 0.0)  # type: ignore[no-untyped-call]
    finally:
        sums.close()  # type: ignore[no-untyped-call]
