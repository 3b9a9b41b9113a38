"""What a TARGET stands for, and the one clear line where it stands for nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tmem.conformance.targets import TargetError
from tmem.conformance.targets.handshake import shake_hands
from tmem.conformance.targets.resolve import BUDGETS, resolve
from tmem.model.choices import STRATEGIES
from tmem.spec.clauses import CLAUSES

HOSTILE = f"py:{Path(__file__).parents[1] / 'support' / 'hostile.py'}"


@pytest.fixture(autouse=True)
def _clean_imports() -> Iterator[None]:
    """Loading a target imports modules and lengthens the path: that is the worker's to keep, not ours."""
    modules, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if not name.startswith("tmem"):
            del sys.modules[name]


def complaint(text: str) -> str:
    """The one line that says why a target cannot be checked."""
    with pytest.raises(TargetError) as caught:
        shake_hands(resolve(text), lambda operation: None)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(text)
    return line


def test_impl_is_found_by_its_entry_point() -> None:
    offer = shake_hands(resolve("impl"), lambda operation: None)
    assert offer.page_size == 4096
    assert offer.missing == ()


def test_a_registered_target_gets_small_budgets_and_none(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr("tmem.impl.target.factory", lambda budget=None: given.append(budget) or object())
    target = resolve("impl")
    for number in range(2 * len(BUDGETS)):
        target.fresh(number)
    assert given == [*BUDGETS, *BUDGETS]
    assert {budget is None for budget in given} == {True, False}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_of_the_model_is_a_target(strategy: str) -> None:
    assert shake_hands(resolve(f"model:{strategy}"), lambda operation: None).page_size == 4096


def test_bare_model_is_random_and_equal_numbers_give_equal_backends() -> None:
    def answers(number: int) -> list[object]:
        backend = resolve("model").fresh(number)
        pool = next(pool for _ in range(99) if (pool := attempt(lambda: backend.new_pool(1))) is not None)
        return [attempt(lambda at=at: backend.put(1, pool, 0, at, bytes(4096))) for at in range(200)]

    assert answers(3) == answers(3) != answers(4)


def attempt(call: Callable[[], object]) -> object:
    try:
        return call()
    except OSError:
        return None


def test_a_backend_in_a_file_that_imports_nothing_from_tmem() -> None:
    begun: list[str] = []
    offer = shake_hands(resolve(f"{HOSTILE}:Good"), begun.append)
    assert offer.abilities == ()
    assert {each.what for each in offer.missing} == {
        *("reclaim", "pool_flags", "shared ephemeral", "shared persistent")
    }
    gone = {clause for each in offer.missing for clause in each.clauses}
    assert gone == {"TMEM-POOL-5", "TMEM-SHARE-1", "TMEM-SHARE-2"}
    assert gone < CLAUSES.keys()
    assert begun[-1] == "close()"


def test_the_folder_of_a_file_is_importable_while_it_loads(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_it.py").write_text("from hostile_copy import Good\n")
    (tmp_path / "hostile_copy.py").write_text(
        Path(__file__).parents[1].joinpath("support", "hostile.py").read_text()
    )
    (tmp_path / "json.py").write_text("import neighbour_of_it\nfactory = neighbour_of_it.Good\n")
    assert shake_hands(resolve(f"py:{tmp_path}/json.py:factory"), lambda operation: None).page_size == 4096
    import json

    assert Path(json.__file__).parent != tmp_path, "a target called json.py must not replace the library"


def test_a_factory_in_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "stores_of_mine"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "quick.py").write_text(Path(__file__).parents[1].joinpath("support", "hostile.py").read_text())
    monkeypatch.chdir(tmp_path)
    assert shake_hands(resolve("py:stores_of_mine.quick:Good"), lambda operation: None).page_size == 4096
    assert "did you mean quick?" in complaint("py:stores_of_mine.quikc:Good")
    assert "did you mean Good" in complaint("py:stores_of_mine.quick:Godo")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model:kep", "no strategy 'kep'; did you mean keep?"),
        ("model:", "no strategy ''; there are keep, "),
        ("imp", "did you mean impl?"),
        ("something", "there are impl, model:STRATEGY"),
        ("mine.py:factory", "a file is given as py:mine.py:factory"),
        ("mine.py", "a file is given as py:mine.py:factory"),
        ("so:./libmine.so", "there is no file libmine.so"),
        ("cmd:", "which program?"),
        ("tcp:host", "host is no address"),
        ("py:", "which factory?"),
        ("py:json", "which factory?"),
        ("py:jsn:loads", "no module jsn; did you mean json"),
        ("py:json.tols:main", "no module json.tols; did you mean tool?"),
        ("py:json:loadz", "no 'loadz' in it; did you mean load"),
        ("py:json:decoder", "decoder is not callable"),
        ("py:json:loads", "loads needs arguments (s)"),
        ("py:no/such/folder/x.py:f", "no file no/such/folder/x.py"),
        (f"py:{Path(__file__).parents[1].joinpath('support', 'hostil.py')}:Good", "did you mean hostile.py"),
        (f"py:{Path(__file__).parent}/:Good", "is a folder"),
        (f"{HOSTILE}:Goood", "did you mean Good?"),
        (f"{HOSTILE}:needs", "needs arguments (path); name a callable without"),
        (f"{HOSTILE}:later", "later is async"),
        (f"{HOSTILE}:fails", "the factory raised RuntimeError: no disk ("),
        (f"{HOSTILE}:exits", "the factory raised SystemExit: bye ("),
        (f"{HOSTILE}:one", "returned one backend twice"),
        (f"{HOSTILE}:not_a_backend", "dict lacks new_pool, destroy_pool, put, flush_page"),
        (
            f"{HOSTILE}:NoPut",
            "NoPut lacks put; a backend has all methods of tmem.spec.Backend; did you mean putt?",
        ),
        (f"{HOSTILE}:NoPageSize", "page_size is None; it must be the number of bytes"),
        (f"{HOSTILE}:BoolPageSize", "page_size is True"),
        (f"{HOSTILE}:ShortPut", "cannot be called as put(client, pool, oid, index, page)"),
        (f"{HOSTILE}:AsyncGet", "get is async"),
        (f"{HOSTILE}:Boasts", "it claims 'retian', and there is no such claim; did you mean retain"),
        (
            f"{HOSTILE}:NoPools",
            "makes no private pool (new pool EPHEMERAL answers EPERM; new pool PERSIST answers",
        ),
        (f"{HOSTILE}:LargePagesNoFlags", "and take 1 in bits 4-7 of the flags, for pages of 8192 bytes"),
        (f"{HOSTILE}:number", "the factory's int lacks"),
        (f"{HOSTILE}:Properties", "looking at the backend raised RuntimeError: not yet ("),
    ],
)
def test_an_unusable_target_is_reported_in_one_line(text: str, said: str) -> None:
    assert said in complaint(text)


def test_the_line_where_a_factory_failed_is_reported() -> None:
    line = complaint(f"{HOSTILE}:fails")
    source = Path(__file__).parents[1].joinpath("support", "hostile.py").read_text().splitlines()
    number = 1 + next(n for n, code in enumerate(source) if "no disk" in code)
    assert line.endswith(f"hostile.py:{number})")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "import no_such_thing\n",
            "importing it raised ModuleNotFoundError: No module named 'no_such_thing' (",
        ),
        ("1 / 0\n", "importing it raised ZeroDivisionError: division by zero ("),
        ("def broken(:\n", "importing it raised SyntaxError: invalid syntax (broken_target.py, line 1)"),
        ("raise SystemExit\n", "importing it raised SystemExit: no message ("),
        ("", "there is no 'factory' in it"),
    ],
)
def test_a_file_that_does_not_load(tmp_path: Path, code: str, said: str) -> None:
    path = tmp_path / "broken_target.py"
    path.write_text(code)
    assert said in complaint(f"py:{path}:factory")


def test_a_module_whose_own_import_fails_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imports_nothing_good.py").write_text("import no_such_thing\n")
    monkeypatch.chdir(tmp_path)
    assert "importing it raised ModuleNotFoundError" in complaint("py:imports_nothing_good:factory")
