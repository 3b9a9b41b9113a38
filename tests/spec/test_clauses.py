"""The numbered contract is complete: every clause says what, whence, how it is decided, and by example."""

import doctest
import re

import pytest

from tmem.spec.clauses import CLAIMS, CLAUSES, SOURCES, Clause

NUMBERS = {"POOL": 5, "HANDLE": 2, "PUT": 4, "GET": 3, "FLUSH": 2, "RECLAIM": 2, "CONC": 3}
NUMBERS |= {"SHARE": 2, "ARG": 1, "ERR": 1}
EVERY = [*CLAUSES.values(), *CLAIMS.values()]


def test_ids_are_stable() -> None:
    assert list(CLAUSES) == [
        f"TMEM-{family}-{n + 1}" for family, most in NUMBERS.items() for n in range(most)
    ]
    assert set(CLAIMS) == {"retain", "reclaim-bound", "regain", "atomic-flush", "lru"}


@pytest.mark.parametrize("clause", EVERY, ids=lambda clause: clause.id)
def test_a_clause_says_everything(clause: Clause) -> None:
    assert clause.sentence.endswith((".", ".)"))
    assert clause.sources
    assert all(source in SOURCES for source in clause.sources)
    assert clause.definition.startswith("def ")
    assert '"""' not in clause.definition
    assert clause.example.startswith(">>>")


@pytest.mark.parametrize("clause", EVERY, ids=lambda clause: clause.id)
def test_its_example_runs_and_decides_both_ways(clause: Clause) -> None:
    test = doctest.DocTestParser().get_doctest(clause.example, vars_of(clause), clause.id, None, 0)
    result = doctest.DocTestRunner(verbose=False).run(test)
    assert result.attempted > 0
    assert result.failed == 0
    wanted = " ".join(example.want for example in test.examples)
    assert re.search(r"\bFalse\b", wanted), "an example that shows nothing refused teaches nothing"
    assert re.search(r"\bTrue\b", wanted), "an example that shows nothing allowed teaches nothing"


def vars_of(clause: Clause) -> dict[str, object]:
    return dict(vars(__import__(clause.decide.__module__, fromlist=["*"])))
