"""The compiled store does what its sources do, and says what to do where it is not there."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.impl.audit import audit
from tmem.impl import Store, build
from tmem.spec.abi.flags import PERSIST

PAGES = [bytes([number]) * 4096 for number in range(3)] + [random.Random(1).randbytes(4096)]


@pytest.fixture
def compiled() -> Callable[..., Any]:
    return pytest.importorskip("tmem.impl.compiled", exc_type=ImportError).Store


def answer(operation: Callable[..., object], *arguments: object) -> object:
    """What it answers; of what it raises, the kind."""
    try:
        return operation(*arguments)
    except (OSError, TypeError) as error:
        return type(error), getattr(error, "errno", None)


def some_call(draw: random.Random) -> tuple[str, tuple[object, ...]]:
    slot = (1, draw.randrange(3), draw.choice([0, 1, 2, 1 << 191]), draw.randrange(5))
    slots = [(draw.randrange(3), draw.randrange(5)) for _ in range(3)]
    name = draw.choices(
        [
            "put",
            "get",
            "flush_page",
            "flush_object",
            "reclaim",
            "put_many",
            "get_many",
            "new_pool",
            "destroy_pool",
        ],
        weights=[12, 8, 4, 2, 2, 3, 3, 1, 1],
    )[0]
    match name:
        case "put":
            return name, (*slot, draw.choice([*PAGES, b"short", "no page"]))
        case "put_many":
            return name, (*slot[:2], slots, draw.choices(PAGES, k=3))
        case "get_many":
            return name, (*slot[:2], slots)
        case "flush_object":
            return name, slot[:3]
        case "reclaim":
            return name, (draw.choice([1, 2, -1]),)
        case "new_pool":
            return name, (1, draw.choice([0, PERSIST]))
        case "destroy_pool":
            return name, slot[:2]
    return name, draw.choice([slot, (*slot[:3], -1), (*slot[:2], 1 << 192, 0), (*slot[:3], "no index")])


@pytest.mark.parametrize("budget", [None, 12_000])
@pytest.mark.parametrize("seed", range(5))
def test_it_answers_as_its_sources_do(compiled: Callable[..., Any], budget: int | None, seed: int) -> None:
    draw, stores = random.Random(seed), [Store(budget), compiled(budget)]
    for number in range(2_000):
        name, arguments = some_call(draw)
        said = [answer(getattr(store, name), *arguments) for store in stores]
        assert said[0] == said[1], (number, name, arguments)
        if number % 50 == 0:
            audit(stores[1])
    counts = [asdict(store.counters()) for store in stores]
    assert counts[0] == counts[1]
    assert counts[0]["hits"]
    assert counts[0]["puts_stored"]
    assert counts[0]["pages_reclaimed"] or budget is None


def test_its_account_is_right_after_threads(compiled: Callable[..., Any]) -> None:
    store = compiled(100_000, keep_free=10_000)
    store.new_pool(1), store.new_pool(1, PERSIST)
    wrong: list[object] = []

    def work(seed: int) -> None:
        draw = random.Random(seed)
        for _ in range(3_000):
            pool, index = draw.randrange(2), draw.randrange(200)
            if draw.random() < 0.6:
                store.put(1, pool, seed, index, index.to_bytes(2) * 2048)
            elif (page := store.get(1, pool, seed, index)) not in (None, index.to_bytes(2) * 2048):
                wrong.append(page)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    store._background.stop()
    audit(store)
    assert store.counters().pages_reclaimed
    store.close()


def test_its_sources_stay_what_is_imported() -> None:
    run = (
        "import tmem.impl.compiled, tmem.impl.pool as p, tmem.impl.store as s; print(s.__file__, p.__file__)"
    )
    pytest.importorskip("tmem.impl.compiled", exc_type=ImportError)
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    assert all(file.endswith(".py") for file in done.stdout.split())


def test_where_it_is_not_compiled_it_says_what_to_do() -> None:
    code = "import sys; sys.modules['tmem.impl.compiled.store'] = None; import tmem.impl.compiled"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "python -m tmem.impl.build" in run.stderr


def test_without_mypy_the_build_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r"pip install 'tmem\[compiled\]'"):
        build.build(tmp_path)


def test_what_does_not_compile_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mypyc")
    pytest.importorskip("setuptools")
    shutil.copytree(build.SOURCES, tmp_path / "impl")
    (tmp_path / "impl" / "room.py").write_text("def broken(:\n")
    monkeypatch.setattr(build, "SOURCES", tmp_path / "impl")
    with pytest.raises(RuntimeError, match=r"room\.py"):
        build.build(tmp_path)
    assert not list(tmp_path.glob("*.so"))
