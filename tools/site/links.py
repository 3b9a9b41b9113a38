"""Checks the site that was built: each link within it leads somewhere, nothing is loaded from elsewhere."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from tools.site.__main__ import ROOT

BUILT: Final = ROOT / "build" / "docs"
LOADED: Final = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src")}
"""Attributes by which a page loads a file."""


@dataclass(slots=True)
class Page(HTMLParser):
    """A page as far as links go: the ids in it, what it links to, and what it loads."""

    ids: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif (tag, name) in LOADED and value and ("rel", "canonical") not in attrs:
                self.loads.add(value)
            elif (tag, name) == ("a", "href") and value:
                self.links.add(value)


def read(path: Path) -> Page:
    """A page of the site."""
    page = Page()
    page.feed(path.read_text("utf-8"))
    return page


def wrong(folder: Path) -> list[str]:
    """A line for each link that leads nowhere, and for each file that is loaded from elsewhere or missing."""
    pages = {path.resolve(): read(path) for path in sorted(folder.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        name = path.relative_to(folder.resolve())
        for target in sorted(page.links | page.loads):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                if target in page.loads and parts.scheme != "data":
                    found.append(f"{name} loads {target}, which is elsewhere")
                continue
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not file.is_file():
                found.append(f"{name}: {target} leads to no file")
            elif parts.fragment and file in pages and unquote(parts.fragment) not in pages[file].ids:
                found.append(f"{name}: {target} leads to no such place")
    return found


def main() -> None:
    """Print what is wrong; exit code 1 if anything is."""
    if not (found := wrong(BUILT)):
        return
    print("\n".join(found), file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
