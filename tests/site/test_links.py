"""The check of the site that was built notices links that lead nowhere, and what is loaded from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.site.links import wrong


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('<a href="b.html#there">', None),
        ('<a href="#here" id="here">', None),
        ('<a href="https://example.org/">', None),
        ('<img src="data:image/png;base64,">', None),
        ('<a href="c.html">', "leads to no file"),
        ('<a href="b.html#gone">', "leads to no such place"),
        ('<a href="#gone">', "leads to no such place"),
        ('<img src="gone.png">', "leads to no file"),
        ('<script src="https://example.org/x.js"></script>', "is elsewhere"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "is elsewhere"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, body: str, said: str | None) -> None:
    (tmp_path / "a.html").write_text(body, "utf-8")
    (tmp_path / "b.html").write_text('<p id="there">', "utf-8")
    found = wrong(tmp_path)
    assert len(found) == (said is not None)
    assert said is None or said in found[0]
