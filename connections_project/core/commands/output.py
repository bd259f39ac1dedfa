"""What commands write: escaped, and with its failures remembered."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import OutputWrapper

from connections_project.core.text import escaped


class _Closed:
    """Standard output or error of a process that was started without one."""

    def write(self, _: str) -> None:
        """Refuse it.

        Raises:
            OSError: Always.
        """
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


class EscapedOutput(OutputWrapper):
    """Output in which names, reasons and whatever else users chose move no terminal."""

    # Why the last that was written could not be.
    failure: OSError | None = None
    is_begun = False

    def write(  # type: ignore[override]
        self,
        msg: str = "",
        style_func: Callable[[str], str] | None = None,
        ending: str | None = None,
    ) -> None:
        with self._remembering():
            super().write(escaped(msg), style_func, ending)
        self.is_begun = True

    def flush(self) -> None:
        with self._remembering():
            super().flush()

    def shows(self, text: str) -> bool:
        """Whether all characters of a text exist in the output's encoding."""
        try:
            text.encode(getattr(self._out, "encoding", None) or "utf-8")
        except UnicodeEncodeError:
            return False
        return True

    def give_up(self) -> None:
        """Drop what is left: Python would fail, and complain, once more at its end."""
        if hasattr(self._out, "fileno"):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())

    @contextmanager
    def _remembering(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.failure = error
            raise


class Escaped:
    """An attribute of a command that makes an `EscapedOutput` of whatever output it is given."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_{name}"

    def __get__(self, command: Any, owner: type | None = None) -> Any:
        return getattr(command, self._name)

    def __set__(self, command: Any, output: Any) -> None:
        out: Any = _Closed() if output._out is None else output._out
        setattr(command, self._name, EscapedOutput(out, output.ending))
