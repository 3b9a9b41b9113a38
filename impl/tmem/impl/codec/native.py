"""lz4 by a small extension in C: the fastest codec; it takes a C compiler."""

from __future__ import annotations

from tmem.impl.codec import Codec

try:
    from tmem.impl.codec import _native
except ImportError as error:
    raise ImportError(
        f"the native codec is not compiled ({error}): python -m tmem.impl.codec.build, with a C compiler"
    ) from None


class NativeLz4(Codec):
    """The same data as `Lz4` makes, with less overhead.

    A call for many pages releases the interpreter while lz4 works, so that two threads use two cores. A call
    for one page does so only if exactly two threads have used the codec by turns; otherwise it keeps the
    interpreter, which is not worth handing over for some microseconds. A thread whose pages are done waits
    some microseconds for another thread to release the interpreter, and only then sleeps for it.
    """

    def __init__(self, page_size: int) -> None:
        """Take any page size."""

    compress = staticmethod(_native.compress)
    decompress = staticmethod(_native.decompress)
    compress_many = staticmethod(_native.compress_many)
    decompress_many = staticmethod(_native.decompress_many)
