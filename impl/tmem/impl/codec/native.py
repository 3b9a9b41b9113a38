"""lz4 by a small extension in C: the fastest codec, for who has a compiler."""

from __future__ import annotations

from tmem.impl.codec import Codec

try:
    from tmem.impl.codec import _native
except ImportError as error:
    raise ImportError(
        f"the native codec is not compiled ({error}): python -m tmem.impl.codec.build, with a C compiler"
    ) from None


class NativeLz4(Codec):
    """The data of `Lz4`, made without its detours.

    Many pages give the interpreter up while lz4 works on them, so that two threads use two cores. One page
    does where two threads have worked with the codec by turns, and nobody else; otherwise it keeps the
    interpreter, which is not worth handing over for some microseconds. A thread that is done with its pages
    waits some microseconds for another to give it up again, and only then sleeps for it.
    """

    def __init__(self, page_size: int) -> None:
        """Any page size will do."""

    compress = staticmethod(_native.compress)
    decompress = staticmethod(_native.decompress)
    compress_many = staticmethod(_native.compress_many)
    decompress_many = staticmethod(_native.decompress_many)
