"""The results as JSON, with the time and the machine."""

import json
import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"


def written(results: dict[str, Any]) -> Path:
    """Keep the results with the time and the machine, and give the file's path."""
    now = datetime.now(UTC)
    machine = {
        "processors": os.cpu_count(),
        "load_average": os.getloadavg(),
        "python": platform.python_version(),
    }
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{now:%Y%m%dT%H%M%SZ}.json"
    whole = {"time": now.isoformat(), "machine": machine, **results}
    text = json.dumps(whole, indent=2, default=asdict)
    path.write_text(text + "\n", encoding="utf-8")
    return path
