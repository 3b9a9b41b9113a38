"""Writes the pages of the site to `build/site`, for Sphinx."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tmem.spec.definitions import DEFINITIONS
from tools.site import answers, clause_pages, reference

ROOT: Final = Path(__file__).parents[2]
INTO: Final = ROOT / "build" / "site"
HERE: Final = Path(__file__).parent
_LINK: Final = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#:\s]+)(#[^)\s]*)?\)")


def write(into: Path = INTO) -> list[Path]:
    """Write all pages anew. Returns them."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    shutil.copytree(ROOT / "docs" / "plots", into / "plots")
    shutil.copy(ROOT / "docs" / "frames.json", into)
    written = []
    for name, text in pages():
        path = into / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        written.append(path)
    return written


def pages() -> Iterator[tuple[str, str]]:
    """Every page by its path without ending, with its text."""
    for source in sorted((HERE / "pages").glob("*.md")):
        yield source.stem, source.read_text("utf-8")
    yield "readme", linked((ROOT / "README.md").read_text("utf-8"), "")
    for source in sorted((ROOT / "docs").glob("*.md")):
        yield source.stem, linked(source.read_text("utf-8"), "docs/")
    yield "spec/definitions", _definitions()
    yield (
        "spec/answers",
        f"{(HERE / 'answers-head.md').read_text('utf-8')}\n{answers.markdown(clause_pages.link)}",
    )
    for name, text in clause_pages.pages():
        yield f"spec/{name}", text
    for name, text in reference.pages():
        yield f"reference/{name}", text


def linked(text: str, folder: str) -> str:
    """A page of the repository with its links as they are in the site: to pages, and to nothing else.

    >>> linked("see [c](docs/c.md#a-race), [the room](spec/tmem/spec/slot.py)", "")
    'see [c](c.md#a-race), the room (`spec/tmem/spec/slot.py`)'
    """

    def one(found: re.Match[str]) -> str:
        words, target, anchor = found[1], found[2], found[3] or ""
        path = _normal(f"{folder}{target}")
        if path == "README.md":
            return f"[{words}](readme.md{anchor})"
        if path.startswith("docs/") and path.endswith((".md", ".json")) and path.count("/") == 1:
            return f"[{words}]({path.removeprefix('docs/')}{anchor})"
        return f"{words} (`{path}`)" if words.strip("`") != path else f"`{path}`"

    return _LINK.sub(one, text)


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _definitions() -> str:
    words = "".join(f"{word}\n: {meaning}\n\n" for word, meaning in DEFINITIONS.items())
    return f"# Definitions\n\nThe words of the contract, each in one sense.\n\n{words}"


if __name__ == "__main__":
    print(f"{len(write())} pages in {INTO.relative_to(ROOT)}")
