"""Instructions counted by callgrind, from one point of a Python program to another one.

A program asks valgrind by a sequence of machine instructions that do nothing elsewhere
(valgrind.h, "client requests"); here they are those of x86-64 and Linux.
"""

import ctypes
import mmap

# valgrind.h: rax points to the request, rdx holds the answer without valgrind.
_CODE = bytes.fromhex("4889f8 31d2 48c1c703 48c1c70d 48c1c73d 48c1c733 4887db 4889d0 c3")
# callgrind.h: the tool's letters, and its requests in their order.
_TOOL = (ord("C") << 24) | (ord("T") << 16)
_DUMP, _ZERO, _START, _STOP = _TOOL, _TOOL + 1, _TOOL + 4, _TOOL + 5

_memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
_memory.write(_CODE)
_call = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)(
    ctypes.addressof(ctypes.c_char.from_buffer(_memory))
)


def _ask(request: int) -> None:
    arguments = (ctypes.c_uint64 * 6)(request)
    _call(ctypes.addressof(arguments))


def start() -> None:
    """Count from here on, in all threads."""
    _ask(_START)
    _ask(_ZERO)


def stop() -> None:
    """Write the count to callgrind's next file, and count no more."""
    _ask(_DUMP)
    _ask(_STOP)
