"""The loader: private modules, environments, rewriting, and switch points that leave code its meaning."""

from __future__ import annotations

import ast
import difflib
import json.decoder
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tmem.conformance.loader import Environment, LoadError, load, replace
from tmem.conformance.loader.expressions import POINT, POINTED
from tmem.conformance.loader.names import EVERYTHING, Names
from tmem.conformance.loader.points import with_points
from tmem.conformance.schedules.runtime import locks
from tmem.conformance.schedules.runtime.load import load as load_virtual
from tmem.conformance.schedules.runtime.load import that_may_block
from tmem.conformance.schedules.runtime.modules import VIRTUAL


def write(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    return str(folder / "main.py")


def pointed(source: str, names: Names = EVERYTHING) -> str:
    body = textwrap.indent(textwrap.dedent(source).strip(), "    ")
    tree = with_points(ast.parse(f"def tested(self, page):\n{body}"), names)
    lines = ast.unparse(tree).replace("__point__()", "·").replace("__pointed__", "after").splitlines()
    return "\n".join(line[4:] for line in lines[1:])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = page", "x = page"),  # local names are nobody else's business
        ("x = self.x", "·\nx = self.x"),
        ("x = isinstance(page, bytes)", "x = isinstance(page, bytes)"),
        ("self.m = {**self.m, 1: f(page)}", "·\nself.m = {**self.m, 1: after((· or f)(page))}"),
        ("self.n += f(page)", "·\nself.n += after((· or f)(page))"),
        ("x = self.get(page)", "·\nx = self.get(page)"),
        ("x = f(g(page))", "·\nx = f(after(g(page)))"),
        ("x = self.a + self.b.get(1)", "·\nx = self.a + (· or self).b.get(1)"),
        ("x = g(page) if self.a else 1", "·\nx = (· or g)(page) if self.a else 1"),
        ("while self.x:\n    pass", "while · or self.x:\n    pass"),
        ("for x in self.m:\n    pass", "·\nfor x in self.m:\n    ·\n    pass"),
        ("with self.lock:\n    return page", "with self.lock:\n    return page"),
        ("with self.locks[page]:\n    return 1", "·\nwith self.locks[page]:\n    return 1"),
        ("return [self.f(x) for x in page]", "·\nreturn [(· or self).f(x) for x in page]"),
        ("return lambda: self.x", "return lambda: · or self.x"),
        ("global count\ncount = 1", "global count\n·\ncount = 1"),
        ("if page is None:\n    del self.x\nelif self.y:\n    pass", None),
        ("x = page in self.m", "·\nx = page in self.m"),
        ("if not page:\n    return 1", "·\nif not page:\n    return 1"),  # it may be a container
    ],
)
def test_points_stand_where_other_threads_could_tell(source: str, expected: str | None) -> None:
    found = pointed(source)
    if expected is None:
        expected = "if page is None:\n    ·\n    del self.x\nelse:\n    ·\n    if self.y:\n        pass"
    assert found == expected


CODE = """
class Pool:
    kind = 1
    def __init__(self, lock):
        self.lock = lock
        self.count = 0
    def raise_(self):
        self.count += 1
    def _find(self, page):
        return self.lock
    def get(self, page):
        return page
class Early:
    def __init__(self, all):
        all.append(self)
        self.late = 1
"""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = self.lock, self.kind", "x = (self.lock, self.kind)"),  # assigned by constructors alone
        ("x = self.count", "·\nx = self.count"),
        ("x = self.unheard_of", "·\nx = self.unheard_of"),
        ("x = self._find(page)", "x = self._find(page)"),  # it has points of its own
        ("self.count = self._find(page)", "·\nself.count = after(self._find(page))"),
        ("x = self.get(page)", "·\nx = self.get(page)"),  # it may be that of a dict
        ("x = f(self._find(page))", "·\nx = f(after(self._find(page)))"),
        ("x = self.get(1).x + self._find(page)", "·\nx = after(self.get(1)).x + self._find(page)"),
    ],
)
def test_what_is_known_of_names_spares_points(source: str, expected: str) -> None:
    names = Names()
    names.learn(ast.parse(CODE))
    assert pointed(source, names) == expected


def test_constructors_that_let_their_object_out_have_points() -> None:
    names = Names()
    tree = with_points(names.learn(ast.parse(CODE)), names)
    rewritten = ast.unparse(tree).replace("__point__()", "·")
    assert "        self.lock = lock\n        self.count = 0" in rewritten
    assert "        ·\n        all.append(self)\n        ·\n        self.late = 1" in rewritten


@pytest.mark.parametrize(
    "code",
    ["setattr(x, name, 1)", "self.__dict__[name] = 1", "object.__setattr__(self, name, 1)", "vars(self)"],
)
def test_attributes_set_by_computed_names_may_be_any(code: str) -> None:
    names = Names()
    names.learn(ast.parse(CODE + code))
    assert pointed("x = self.lock", names) == "·\nx = self.lock"


def instrumented(module: ModuleType) -> tuple[dict[str, Any], Callable[[], int]]:
    """A module of the standard library, executed with points that are counted."""
    count = 0

    def point() -> None:
        nonlocal count
        count += 1

    def pointed(value: object) -> object:
        point()
        return value

    assert module.__file__ is not None
    code = compile(with_points(ast.parse(Path(module.__file__).read_text())), module.__file__, "exec")
    names = {
        "__name__": module.__name__,
        "__package__": module.__package__,
        POINT: point,
        POINTED: pointed,
    }
    exec(code, names)
    return names, lambda: count


def test_code_with_points_does_what_it_did() -> None:
    text = Path(textwrap.__file__).read_text()
    names, count = instrumented(textwrap)
    assert names["wrap"](text, 40) == textwrap.wrap(text, 40)
    assert count() > 1_000

    names, count = instrumented(difflib)
    one, two = text.splitlines(), text.replace("wrap", "fold").splitlines()
    assert list(names["ndiff"](one, two)) == list(difflib.ndiff(one, two))
    assert count() > 10_000

    names, count = instrumented(ast)
    tree = ast.parse(text)
    assert names["unparse"](tree) == ast.unparse(tree)
    assert count() > 1_000

    names, count = instrumented(json.decoder)
    data = '{"a": [1, 2.5, "\\u00e9", {"b": null}]}'
    decoder = names["JSONDecoder"]()
    scan = names["scanner"].py_make_scanner(decoder)
    assert scan(data, 0)[0] == json.loads(data)


def test_modules_are_private_and_fresh(tmp_path: Path) -> None:
    main = write(tmp_path, main="import helper\nfactory = lambda: helper.box", helper="box = []")
    before = set(sys.modules)
    one, two = load(main, "factory").value(), load(main, "factory").value()
    assert one is not two
    assert set(sys.modules) == before


def test_a_seam_reaches_every_module_of_the_target_and_no_other(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        main="import helper, logging\nfactory = lambda: (helper.Lock, logging.threading.Lock, helper.wait)",
        helper="from threading import Lock\nfrom time import sleep as wait",
    )
    lock, others, wait = load_virtual(main, "factory")["lock"].value()
    assert lock is locks.Lock
    assert others is threading.Lock
    assert wait is VIRTUAL["time"].sleep
    assert threading.Lock is not locks.Lock


def test_files_may_be_named_like_modules_of_the_standard_library(tmp_path: Path) -> None:
    write(
        tmp_path,
        code="import pages, colorsys\nfactory = lambda: pages.n",
        pages="from bisect import n",
        bisect="n = 7",
    )
    seen: list[str] = []

    def transform(tree: ast.Module) -> ast.Module:
        seen.append(ast.unparse(tree))
        return tree

    assert load(str(tmp_path / "code.py"), "factory", Environment(transform=transform)).value() == 7
    assert len(seen) == 3


def test_packages_import_as_they_do_elsewhere(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text(
        "from .one import first\nfrom . import two\n__all__ = ['two', 'deep']"
    )
    (package / "one.py").write_text("from package import two\nfirst = two.second")
    (package / "two.py").write_text("import package.deep.three as three\nsecond = three.third")
    (package / "deep" / "__init__.py").write_text("")
    (package / "deep" / "three.py").write_text("from ...package import __name__ as third")
    (package / "deep" / "three.py").write_text("from .. import __name__ as third")
    main = write(
        tmp_path,
        main="""
        from package import *
        import package.deep.three
        def factory():
            import importlib
            from package.deep import three
            return two.second, three is package.deep.three is importlib.import_module("package.deep.three")
        """,
    )
    assert load(main, "factory").value() == ("package", True)
    assert "package" not in sys.modules


def test_what_looks_modules_up_by_name_finds_the_private_one(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        main="""
        from __future__ import annotations
        from dataclasses import dataclass, field
        from enum import Enum
        from functools import singledispatch
        from typing import ClassVar, NamedTuple
        class Own: pass
        @dataclass(slots=True)
        class D:
            x: int = 0
            y: ClassVar[int] = 1
        class E(Enum):
            A = 1
        @singledispatch
        def f(x): return "any"
        @f.register
        def _(x: Own): return "own"
        factory = lambda: (D(2), f(Own()), E.A)
        """,
    )
    made, answer, _ = load(main, "factory").value()
    assert (made.x, answer) == (2, "own")


def test_compiled_modules_are_shared_and_the_python_around_them_is_not() -> None:
    import lz4.block

    loaded = load("lz4.block", "compress")
    assert loaded.modules["lz4.block"] is not sys.modules["lz4.block"]
    assert loaded.value is lz4.block.compress


def test_queues_and_executors_stand_on_virtual_threads(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        main="""
        import queue
        from concurrent.futures import ThreadPoolExecutor
        def factory():
            with ThreadPoolExecutor(2) as pool:
                squares = list(pool.map(lambda n: n * n, range(5)))
            q = queue.Queue(1)
            q.put(1)
            try:
                q.put(2, timeout=3)
            except queue.Full:
                pass
            s = queue.SimpleQueue()
            s.put(squares)
            return q.get(), s.get()
        """,
    )
    assert load_virtual(main, "factory")["statement"].value() == (1, [0, 1, 4, 9, 16])


def test_a_package_that_runs_but_once_is_shared_and_that_is_said(tmp_path: Path, monkeypatch: Any) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "onlyonce.py").write_text(
        "import sys\nif hasattr(sys, 'onlyonce'): raise ImportError('twice')\nsys.onlyonce = 1\nvalue = 7"
    )
    monkeypatch.syspath_prepend(str(elsewhere))
    monkeypatch.delattr(sys, "onlyonce", raising=False)
    import onlyonce  # type: ignore[import-not-found]

    main = write(tmp_path, main="import onlyonce\nfactory = lambda: onlyonce")
    loaded = load(main, "factory")
    assert loaded.value() is onlyonce
    assert loaded.notes == ("onlyonce is used as it is: it cannot be executed twice (twice)",)
    monkeypatch.delattr(sys, "onlyonce")
    sys.modules.pop("onlyonce")


def test_rewriting_changes_a_module_for_one_load(tmp_path: Path) -> None:
    main = write(tmp_path, main="import helper\nfactory = lambda: helper.n", helper="n = 1")
    assert load(main, "factory", rewrite={"helper": replace("n = 1", "n = 2")}).value() == 2
    assert load(main, "factory", rewrite={"helper": lambda source: ast.parse("n = 3")}).value() == 3
    assert load(main, "factory").value() == 1


def test_a_transform_sees_every_tree_but_those_of_the_standard_library(tmp_path: Path) -> None:
    seen: list[str] = []

    def transform(tree: ast.Module) -> ast.Module:
        seen.append(ast.unparse(tree))
        return tree

    main = write(tmp_path, main="import helper, queue\nfactory = print", helper="import textwrap")
    load(main, "factory", Environment(transform=transform, private=frozenset({"queue"})))
    assert sorted(seen) == ["import helper, queue\nfactory = print", "import textwrap"]


@pytest.mark.parametrize(
    ("source", "attribute", "said"),
    [
        (
            "1/0",
            "factory",
            r"main.py cannot be loaded: ZeroDivisionError: division by zero \(.*main.py, line 1\)",
        ),
        ("def", "factory", r"SyntaxError: .* \(.*main.py, line 1\)"),
        ("import nowhere_at_all", "factory", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("x = 1", "factory", "main.py has no factory"),
        ("factory = 1", "factory", "main.py:factory is not callable"),
    ],
)
def test_what_cannot_be_loaded_says_why_in_one_line(
    tmp_path: Path, source: str, attribute: str, said: str
) -> None:
    with pytest.raises(LoadError, match=said) as caught:
        load(write(tmp_path, main=source), attribute)
    assert "\n" not in str(caught.value)
    assert "main" not in sys.modules


def test_a_rewrite_that_meets_nothing_is_an_error(tmp_path: Path) -> None:
    main = write(tmp_path, main="factory = print")
    with pytest.raises(LoadError, match="does not import other, which was to be rewritten"):
        load(main, "factory", rewrite={"other": lambda source: source})
    with pytest.raises(LoadError, match="occurs 0 times, not 1"):
        load(main, "factory", rewrite={"main": replace("old", "new")})
    with pytest.raises(LoadError, match="there is no such file"):
        load(str(tmp_path / "absent.py"), "factory")


def test_installed_packages_are_used_as_they_are_unless_they_are_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "driver_of_others.py").write_text("import threading\nLOCK = threading.Lock()\n")
    target = tmp_path / "target.py"
    target.write_text("import driver_of_others\n\n\ndef factory():\n    return driver_of_others\n")
    monkeypatch.syspath_prepend(installed)
    theirs = load_virtual(str(target), "factory")["lock"]
    assert theirs.value() is sys.modules["driver_of_others"]
    assert that_may_block(theirs.foreign) == ["driver_of_others"]
    own = load_virtual(str(target), "factory", own=["driver_of_others"])["lock"]
    assert isinstance(own.value().LOCK, locks.Lock)
    assert that_may_block(own.foreign) == []
