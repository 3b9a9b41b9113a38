"""Writes the specification alone to `build/specification`: one document with numbered chapters."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from typing import Final

from tmem.spec.abi.flags import VERSION
from tools.site.__main__ import ROOT, pages
from tools.site.clause_pages import GROUPS

INTO: Final = ROOT / "build" / "specification"
ORDER: Final = (
    "spec/definitions",
    *(f"spec/{name}" for name in GROUPS),
    "spec/freedoms",
    "spec/answers",
    "spec/claims",
    "semantics",
    "reference/numbers",
)
"""The chapters."""
HEAD: Final = """# The contract of transcendent memory

Version {version} of the interface. The clauses are numbered, and their ids stay: cite them as, for instance,
TMEM-PUT-3.

```{{toctree}}
:numbered: 1
:maxdepth: 1
{chapters}
```
"""
_LINK: Final = re.compile(r"\[([^\]]+)\]\(([^)#:\s]+)\.md(?:#[^)\s]*)?\)")


def chapters(every: Mapping[str, str]) -> dict[str, str]:
    """The chapters by name; what links to another page of the site is plain text here."""
    names = {name.rpartition("/")[2] for name in ORDER}

    def kept(found: re.Match[str]) -> str:
        return found[0] if found[2].rpartition("/")[2] in names else found[1]

    return {name: _LINK.sub(kept, every[name]) for name in ORDER}


def main() -> None:
    """Write all of it anew."""
    shutil.rmtree(INTO, ignore_errors=True)
    written = chapters(dict(pages()))
    written["index"] = HEAD.format(version=VERSION, chapters="\n".join(ORDER))
    for name, text in written.items():
        path = INTO / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    print(f"{len(ORDER)} chapters in {INTO.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
