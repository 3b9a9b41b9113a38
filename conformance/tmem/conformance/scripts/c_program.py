"""A violation of a shared library as a program in C that is linked to it and needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Final

from tmem.conformance.compiled import header
from tmem.conformance.engines.large import stamps
from tmem.conformance.scripts import pages
from tmem.conformance.scripts.expected import Ending
from tmem.conformance.scripts.opening import budget
from tmem.conformance.scripts.recording import CLOSE, Called
from tmem.spec.abi.errors import EEMPTY
from tmem.spec.operations import SIGNATURES, Raised

LARGEST: Final = 4 << 20
"""Characters of the longest program."""
HANG: Final = 10
"""Seconds after which the last call of a program counts as hung."""
_WORD: Final = (1 << 64) - 1
_LIMITS: Final = {"client": 16, "oid": 192, "index": 32, "flags": 32, "uuid": 128, "pages": 32}
_USAGE: Final = """\
   cc -o again {file} {library} -Wl,-rpath,{folder} && ./again

It is linked to the library, and needs nothing else. It prints each call with its answer, and exits with
1  where the clause is broken,
0  where the last answer is allowed,
3  where an earlier answer is another one than in the run that found it: then it shows nothing."""


def text(head: str, clause: str, library: Path, ending: Ending, page_size: int) -> str:
    """The program. ValueError where the library is not called, or the program would be too long."""
    calls = [each for each in ending.calls if _reaches(each, page_size)]
    if not calls or calls[-1] is not ending.calls[-1]:
        raise ValueError("the call is refused before it comes to the library; `tmem replay` shows it")
    writer = _Writer()
    rows = [writer.row(call) for call in calls]
    allowed = list(writer.allowed(ending))
    usage = _USAGE.format(file="THIS.c", library=library, folder=library.parent)
    methods = {call.method for call in calls}
    parts = [
        "/*\n"
        + "\n".join(f" * {line}".rstrip() for line in f"{head}\n\n{usage}".replace("*/", "* /").splitlines()),
        " */",
        *(f"#include <{each}.h>" for each in ("stdio", "stdlib", "string", "sys/wait", "unistd")),
        "",
        header.text(),
        f'#define CLAUSE "{clause}"\n#define PAGE_SIZE {page_size}\n#define BACKENDS {len(ending.made)}',
        f"#define MOST_POOLS {max(writer.made, 1)}",
        "#define RECLAIMS" * ("reclaim" in methods),
        "#define TELLS" * ("pool_flags" in methods),
        "",
        resources.files(__package__).joinpath("c_runtime.c").read_text("utf-8"),
        *writer.data(page_size),
        "static const struct call calls[] = {",
        *(f"    {row}," for row in rows),
        "};\n",
        *_main(ending, allowed),
    ]
    program = "\n".join(parts)
    if len(program) > LARGEST:
        raise ValueError(f"its calls fill {len(program) >> 10} KiB, which nobody reads")
    return program


def _reaches(call: Called, page_size: int) -> bool:
    if call.method == CLOSE:
        return True
    names = SIGNATURES[call.method].arguments
    for name, value in zip(names, call.arguments, strict=False):
        if name == "page":
            if not isinstance(value, bytes) or len(value) != page_size:
                return False
        elif value is not None:
            if not isinstance(value, int):
                return False
            if name == "pool":
                if value.bit_length() > 31:
                    return False
            elif value < 0 or value >> _LIMITS[name]:
                return False
    return True


@dataclass(slots=True)
class _Writer:
    """Writes rows of the table of calls; keeps the pages, bodies of pages and pools that they name."""

    pages: dict[bytes, int] = field(default_factory=dict)
    bodies: dict[bytes, int] = field(default_factory=dict)
    ids: dict[tuple[object, object], int] = field(default_factory=dict)
    made: int = 0

    def row(self, call: Called) -> str:
        """The row of a call."""
        given = (
            dict(zip(SIGNATURES[call.method].arguments, call.arguments, strict=False))
            if call.method != CLOSE
            else {}
        )
        fields = [f".backend = {call.backend}", f".method = {call.method.upper()}"]
        pool = given.pop("pool", None)
        known = self.ids.get((given.get("client"), pool))
        if known is not None:
            fields += [".is_id = 1", f".pool = {known}"]
        elif isinstance(pool, int):
            fields.append(f".pool = {pool}")
        for name, value in given.items():
            if value is None:
                continue
            if name == "page":
                assert isinstance(value, bytes)
                fields.append(f".page = {self._page(value)}")
            elif name == "uuid":
                fields += [".has_uuid = 1", f".uuid = {_words(value, 2)}"]
            elif isinstance(value, int):
                fields.append(f".{name} = {_words(value, 3) if name == 'oid' else f'{value}u'}")
        fields += self._came(call)
        return f"{{{', '.join(fields)}}}"

    def _came(self, call: Called) -> Iterator[str]:
        if call.method == "new_pool" and type(call.answer) is int:
            self.ids[call.arguments[0], call.answer] = self.made
            self.made += 1
            yield ".made = 1"
        elif isinstance(call.answer, bytes):
            yield f".hit = 1, .came = 1, .came_page = {self._page(call.answer)}"
        elif (number := _number(call.answer)) is not None:
            yield f".came = {number}"

    def _page(self, page: bytes) -> str:
        if (found := pages.stamped(page)) is not None:
            body = self.bodies.setdefault(page[stamps.SIZE : -stamps.SIZE], len(self.bodies))
            return f"{{-1, {', '.join(f'{each}u' for each in found[1])}, {body}}}"
        return f"{{{self.pages.setdefault(page, len(self.pages))}}}"

    def allowed(self, ending: Ending) -> Iterator[str]:
        """The conditions under which the last answer is allowed."""
        method = ending.calls[-1].method
        for each in ending.allowed:
            if isinstance(each, bytes):
                yield f"(answer == 1 && is_page(&(struct page){self._page(each)}))"
            elif each is None and method == "get":
                yield f"answer == 0 || answer == -{EEMPTY}"
            elif each is None or (method == "get" and each in (True, False)):
                continue
            elif (number := _number(each)) is not None:
                yield f"answer == {number}"
        if ending.any_id:
            taken = "".join(f" && answer != {each}" for each in ending.taken)
            yield f"(answer >= 0{taken})"

    def data(self, page_size: int) -> Iterator[str]:
        """The pages, and the bodies of stamped pages."""
        yield "static void known_page(int number, unsigned char *at)\n{\n    switch (number) {"
        for page, number in self.pages.items():
            yield f"    case {number}:"
            yield from _filling(page)
            yield "        break;"
        yield "    default: memset(at, 0, PAGE_SIZE);\n    }\n}\n"
        yield "static const unsigned char *body_of(int number)\n{\n    switch (number) {"
        for body, number in self.bodies.items():
            yield f"    case {number}:\n        return (const unsigned char *){_string(body)};"
        yield "    default: return NULL;\n    }\n}\n"


def _filling(page: bytes) -> Iterator[str]:
    least = pages.pattern(page)
    if least is not None:
        yield f"        repeated(at, {_string(least)}, {len(least)});"
    else:
        yield f"        memcpy(at, {_string(page)}, PAGE_SIZE);"


def _string(data: bytes) -> str:
    octal = "".join(f"\\{byte:03o}" for byte in data)
    lines = [octal[at : at + 400] for at in range(0, len(octal), 400)]
    return "\n            ".join(f'"{line}"' for line in lines)


def _words(value: object, count: int) -> str:
    assert isinstance(value, int)
    return f"{{{', '.join(f'{value >> 64 * n & _WORD:#x}u' for n in range(count))}}}"


def _number(answer: object) -> int | None:
    """The number that the library answers for it; None for what it never answers."""
    if isinstance(answer, Raised):
        return None if answer.errno is None else -answer.errno
    if answer is None:
        return 0
    return int(answer) if isinstance(answer, int) else None


def _main(ending: Ending, allowed: Sequence[str]) -> Iterator[str]:
    yield "int main(void)\n{"
    yield "    size_t last = sizeof calls / sizeof *calls - 1;"
    if ending.died:
        yield f"""\
    pid_t child = fork(); /* The calls are made in a process of their own, which ends or hangs. */
    if (child != 0) {{
        int status = 0;
        waitpid(child, &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == SHOWS_NOTHING)
            leave(SHOWS_NOTHING);
        if (WIFEXITED(status) && WEXITSTATUS(status) == DONE)
            leave(ALLOWED);
        printf("\\nThe last call did not return.\\n");
        broken();
    }}
    alarm({HANG});"""
    for place, number in enumerate(ending.made):
        yield f"    stores[{place}] = tmem_open(&(struct tmem_config){{.budget = {budget(number) or 0}}});"
    yield "    for (size_t n = 0; n < last; n++)\n        check(&calls[n]);"
    if ending.died:
        yield "    make(&calls[last]);\n    leave(DONE);\n}"
        return
    if ending.together:
        yield "    check(&calls[last]);"
        yield '    printf("Each answer may be right alone; together they break the claim.\\n");'
        yield "    broken();\n}"
        return
    yield "    int64_t answer = make(&calls[last]);"
    yield f"    if (!damaged && ({' || '.join(allowed) or '0'}))\n        leave(ALLOWED);"
    yield "    (void)answer;\n    broken();\n}"
