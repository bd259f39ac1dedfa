"""Static files of the pages: named after their content where `collectstatic` has been called."""

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class CollectedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # It has no types.
    """The manifest's names, which browsers may keep for ever; plain ones without a manifest.

    So a service that nothing was collected for has its pages too, straight from the packages.
    """

    hashed_files: dict[str, Any]

    def stored_name(self, name: str) -> str:
        return str(super().stored_name(name)) if self.hashed_files else name
