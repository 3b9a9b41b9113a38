"""Codecs: every page comes back from every one of them, whoever works beside, and other data is refused."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lz4.block import decompress

from tests.impl.audit import audit
from tmem.impl import Lz4, Store
from tmem.impl.codec import Codec, build, held
from tmem.impl.codec.held import HeldLz4
from tmem.spec.abi.flags import PERSIST

PAGES = [
    bytes(4096),
    b"ab" * 2048,
    b"x" + bytes(4094) + b"x",
    (b"text of some kind, " * 300)[:4096],
    os.urandom(4096),
    os.urandom(1024) + bytes(3072),
]


def native(page_size: int) -> Codec:
    module = pytest.importorskip("tmem.impl.codec.native", exc_type=ImportError)
    return module.NativeLz4(page_size)


CODECS = [Lz4, HeldLz4, native]


@pytest.mark.parametrize("make", CODECS)
@pytest.mark.parametrize("size", [1, 2, 64, 4096, 65536])
def test_every_page_comes_back(make, size):
    codec = make(size)
    pages = [(page * (size // 4096 + 1))[:size] for page in PAGES]
    data = [codec.compress(page) for page in pages]
    assert [codec.decompress(one) for one in data] == pages
    assert [codec.decompress(one) for one in codec.compress_many(pages * 7)] == pages * 7
    assert list(codec.decompress_many(data * 7)) == pages * 7
    assert all(0 < len(one) <= size + size // 255 + 20 for one in data)


@pytest.mark.parametrize("make", [HeldLz4, native])
def test_data_that_is_cut_or_changed_is_refused_or_another_page_of_that_size(make):
    codec, draw = make(4096), random.Random(1)
    good = codec.compress(PAGES[3])
    for _ in range(500):
        bad = bytearray(good[: draw.randrange(len(good))] if draw.random() < 0.5 else good)
        for _ in range(draw.randrange(4)):
            if len(bad) > 4:
                bad[draw.randrange(4, len(bad))] = draw.randrange(256)
        try:
            page = codec.decompress(bytes(bad))
        except ValueError:
            continue
        assert len(page) == 4096
    assert codec.decompress(good) == PAGES[3]


def test_native_data_is_that_of_lz4():
    codec = native(4096)
    assert [decompress(codec.compress(page)) for page in PAGES] == PAGES
    assert list(codec.decompress_many([Lz4(4096).compress(page) for page in PAGES])) == PAGES


@pytest.mark.parametrize(
    ("call", "bad"),
    [
        ("compress", "text"),
        ("compress", bytearray(4)),
        ("decompress", None),
        ("compress_many", [b"page", 7]),
        ("compress_many", 7),
        ("decompress_many", [memoryview(b"data")]),
    ],
)
def test_the_native_codec_refuses_what_is_no_bytes(call, bad):
    with pytest.raises(TypeError):
        getattr(native(4096), call)(bad)


@pytest.mark.parametrize("bad", [b"", b"\0\0\0\0", b"\xff" * 8, b"\0\0\0\x7f" + bytes(9), b"\4\0\0\0\xf0"])
def test_the_native_codec_refuses_data_of_no_page(bad):
    codec = native(4096)
    with pytest.raises(ValueError, match="not that of a page"):
        codec.decompress(bad)
    with pytest.raises(ValueError, match="not that of a page"):
        codec.decompress_many([codec.compress(PAGES[0]), bad])


@pytest.mark.parametrize("make", CODECS)
def test_threads_do_not_meet_in_a_codec(make):
    codec = make(4096)
    wrong: list[int] = []

    def work(seed: int) -> None:
        draw = random.Random(seed)
        for number in range(150):
            pages = [bytes([draw.randrange(256)]) * 2048 + draw.randbytes(2048) for _ in range(17)]
            data = [codec.compress(page) for page in pages]
            many = codec.compress_many(pages)
            if [*map(codec.decompress, many)] != pages or list(codec.decompress_many(data)) != pages:
                wrong.append(number)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not wrong


@pytest.fixture(scope="module")
def slow() -> bytes:
    """A page that takes some hundred milliseconds."""
    draw = random.Random(1)
    words = [draw.randbytes(draw.randrange(3, 9)) for _ in range(500)]
    return b"".join(draw.choices(words, k=3_000_000))


@contextlib.contextmanager
def computing():
    """The times at which a thread that computes in Python had the interpreter."""
    times: list[float] = []
    stop = threading.Event()

    def spin() -> None:
        while not stop.wait(0):
            if not times or time.perf_counter() - times[-1] > 1e-3:
                times.append(time.perf_counter())

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield times
    finally:
        stop.set()
        thread.join()


def gives_up(codec: Codec, page: bytes) -> bool:
    """Whether another thread runs while the codec works on a page: not just before, and not once it has."""
    with computing() as ticks:
        start = time.perf_counter()
        codec.compress(page)
        end = time.perf_counter()
    return any(start + (end - start) / 4 < tick < (start + end) / 2 for tick in ticks)


@contextlib.contextmanager
def another(codec: Codec):
    """A call with the codec by a thread that stays the same."""
    with ThreadPoolExecutor(1) as threads:
        yield lambda: threads.submit(codec.compress, PAGES[0]).result()


def settle(codec: Codec) -> None:
    """Let calls go by until those that keep the interpreter, whoever came before, are over."""
    for _ in range(1 << 16):
        codec.compress(PAGES[0])


def meet(codec: Codec, *others: Callable[[], object]) -> None:
    """Two or more threads use the codec by turns."""
    for call in others:
        call()
        codec.compress(PAGES[0])


def test_the_native_codec_keeps_the_interpreter_but_in_company(slow):
    codec = native(4096)
    with another(codec) as other:
        settle(codec)
        assert not gives_up(codec, slow)
        other()
        settle(codec)
        meet(codec, other, other)
        assert gives_up(codec, slow)


def test_three_threads_keep_the_interpreter(slow):
    codec = native(4096)
    with another(codec) as other, another(codec) as third:
        other()
        settle(codec)
        meet(codec, other, other, third)
        assert not gives_up(codec, slow)


def test_a_third_thread_that_is_gone_is_soon_forgotten(slow):
    codec = native(4096)
    with another(codec) as other, another(codec) as third:
        other()
        settle(codec)
        meet(codec, other, third, other)
        assert not gives_up(codec, slow)
        for _ in range(1 << 11):
            codec.compress(PAGES[0])
        meet(codec, other, other)
        assert gives_up(codec, slow)


def test_the_native_codec_keeps_the_interpreter_where_it_is_long_in_coming_back(slow):
    codec = native(4096)
    with another(codec) as other:
        other()
        settle(codec)
        meet(codec, other, other)
        assert gives_up(codec, slow)  # the thread that computes has the interpreter when this is done
        meet(codec, other, other)
        assert not gives_up(codec, slow)


@pytest.mark.parametrize("make", CODECS)
def test_a_store_keeps_pages_with_any_codec(make):
    with_it = Store(60_000, codec=make)
    pool = with_it.new_pool(1, PERSIST)
    slots = [(7, index) for index in range(len(PAGES))]
    assert all(with_it.put_many(1, pool, slots, PAGES))
    assert list(with_it.get_many(1, pool, slots)) == PAGES
    audit(with_it)


def test_without_any_lz4_the_held_codec_says_what_to_do(monkeypatch):
    def nothing(path):
        raise OSError

    monkeypatch.setattr(held.ctypes, "PyDLL", nothing)
    held._library.cache_clear()
    with pytest.raises(ImportError, match="install"):
        HeldLz4(4096)
    monkeypatch.undo()
    held._library.cache_clear()
    assert HeldLz4(4096)


def test_a_codec_that_is_not_compiled_says_what_to_do():
    code = "import sys; sys.modules['tmem.impl.codec._native'] = None; import tmem.impl.codec.native"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "python -m tmem.impl.codec.build" in run.stderr


def test_it_compiles_where_there_is_a_compiler(tmp_path: Path):
    try:
        made = build.build(tmp_path)
    except RuntimeError as error:
        pytest.skip(f"it does not compile here: {str(error).splitlines()[0]}")
    code = "import _native; assert _native.decompress(_native.compress(b'page')) == b'page'"
    assert made.parent == tmp_path
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0


def test_no_compiler_is_said_in_a_line(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(build.sysconfig, "get_config_var", lambda name: "no-such-compiler -shared")
    with pytest.raises(RuntimeError, match="no C compiler"):
        build.build(tmp_path)
