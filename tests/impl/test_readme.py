"""The README's example of the store prints what the README says."""

from __future__ import annotations

import doctest
import re

from tools.readme import README

EXAMPLE = re.compile(r"```pycon\n(.*?)```", re.DOTALL)


def test_the_example_of_the_store_does_what_it_says() -> None:
    (example,) = EXAMPLE.findall(README.read_text(encoding="utf-8"))
    test = doctest.DocTestParser().get_doctest(example, {}, "README.md", "README.md", 0)
    assert len(test.examples) == 3
    assert doctest.DocTestRunner().run(test).failed == 0
