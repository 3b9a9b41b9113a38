"""lz4 by ctypes, without releasing the interpreter: for threads, where there is no compiler."""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

from tmem.impl.codec import Codec


class HeldLz4(Codec):
    """lz4 blocks, by a call that keeps the interpreter.

    It is slower than `Lz4` in a single thread, by the cost of ctypes. It is faster beside threads that
    compute in Python: these would keep the interpreter for a switch interval after each page. ImportError if
    no lz4 can be loaded.
    """

    def __init__(self, page_size: int) -> None:
        library = _library()
        self._compress, self._decompress = library.LZ4_compress_default, library.LZ4_decompress_safe
        self._page_size = page_size
        self._bound: int = library.LZ4_compressBound(page_size)
        self._buffers: list[_Buffer] = []
        """The buffers that no thread uses now. Taking or returning one is one step for the interpreter."""

    def compress(self, page: bytes) -> bytes:
        """Return an lz4 block, without a size."""
        buffer = self._buffer()
        length = self._compress(page, buffer.pointer, self._page_size, self._bound)
        data = bytes(buffer.view[:length])
        self._buffers.append(buffer)
        return data

    def decompress(self, data: bytes) -> bytes:
        """Return the page; ValueError for data of no page."""
        buffer = self._buffer()
        length = self._decompress(data, buffer.pointer, len(data), self._page_size)
        page = bytes(buffer.view[: self._page_size])
        self._buffers.append(buffer)
        if length != self._page_size:
            raise ValueError("the data is not that of a page")
        return page

    def _buffer(self) -> _Buffer:
        try:
            return self._buffers.pop()
        except IndexError:
            room = bytearray(self._bound)
            address = ctypes.addressof((ctypes.c_char * self._bound).from_buffer(room))
            return _Buffer(memoryview(room), ctypes.c_void_p(address))


class _Buffer(NamedTuple):
    view: memoryview
    pointer: ctypes.c_void_p


@cache
def _library() -> Any:
    """Load the lz4 of the Python package lz4, or else that of the system."""
    extension = find_spec("lz4.block._block")
    for path in extension.origin if extension else None, ctypes.util.find_library("lz4"):
        if path is None:  # which would stand for this process, where nothing says what lz4 that is
            continue
        try:
            library = ctypes.PyDLL(path)
            library.LZ4_compress_default, library.LZ4_decompress_safe, library.LZ4_compressBound  # noqa: B018
        except (OSError, AttributeError):
            continue
        return library
    raise ImportError("ctypes finds no lz4: install the package lz4 as a wheel, or the library liblz4")
