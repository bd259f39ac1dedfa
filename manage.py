#!/usr/bin/env python
"""Run the service's commands: `manage.py help` lists them."""

import gc
import io
import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connections_project.settings")
    for stream in (sys.stdout, sys.stderr):
        # What somebody is called may have characters that a terminal's encoding lacks; a process
        # may be started without either.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # What is imported stays, and looking through it for garbage would be a tenth of the start. The
    # last app that is loaded (connections_project.admin.apps) has it looked for again.
    gc.disable()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
