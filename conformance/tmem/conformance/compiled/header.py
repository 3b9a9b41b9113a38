"""`tmem.h`: all that the author of a store in C, C++ or Rust needs, made from the specification."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise
from types import ModuleType
from typing import Final

from tmem.conformance.compiled.interface import FUNCTIONS, Function
from tmem.spec.abi import errors, flags

_TOP: Final = """\
/*
 * tmem.h: what a page store exports, so that `tmem check so:./libstore.so` can check it.
 * Made by `tmem header`; do not edit.
 *
 * Every function may be called from several threads at once. An answer below zero is -errno.
 * Clause ids say where the whole promise is written: `tmem explain TMEM-PUT-3` shows one.
 */
#ifndef TMEM_H
#define TMEM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
"""
_STORE: Final = """\
typedef struct tmem_store tmem_store; /* The library defines it. */

struct tmem_config {
    uint32_t page_size; /* bytes in a page that the caller wants; 0: the store decides */
    uint32_t reserved;  /* 0 */
    uint64_t budget;    /* bytes that pages may take; 0: no limit */
};
"""
_END: Final = """\
#ifdef __cplusplus
}
#endif

#endif
"""


def text() -> str:
    """The header."""
    flag_bits = (f"#define TMEM_POOL_{name} {bit}u" for bit, name in flags.NAMES.items())
    parts = [
        _TOP,
        "/* The flag word of tmem_new_pool. The page size is 4096 << n, and n stands in bits 4 to 7. */",
        *flag_bits,
        f"#define TMEM_POOL_PAGE_SIZE_SHIFT {flags.PAGE_SIZE_SHIFT}",
        f"#define TMEM_POOL_PAGE_SIZE_MASK {flags.PAGE_SIZE_MASK:#x}u",
        f"#define TMEM_POOL_RESERVED {flags.RESERVED:#010x}u /* refused with -EPERM */",
        f"#define TMEM_POOL_VERSION_SHIFT {flags.VERSION_SHIFT}",
        f"#define TMEM_POOL_VERSION {flags.VERSION}u /* 0 counts as 1; all others are refused */",
        "",
        "/* Errnos, as answers of minus these. */",
        *_errnos(),
        "",
        _STORE,
        *map(_function, FUNCTIONS.values()),
        _END,
    ]
    return "\n".join(parts)


def _errnos() -> Iterator[str]:
    meanings = _documented(errors)
    for number, name in errors.NAMES.items():
        yield f"#define TMEM_{name} {number} /* {meanings[name]} */"


def _documented(module: ModuleType) -> dict[str, str]:
    """What the string below each constant of a module says of it."""
    body = ast.parse(inspect.getsource(module)).body
    meanings: dict[str, str] = {}
    for stated, said in pairwise(body):
        match stated, said:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(meaning))):
                meanings[name] = meaning
    return meanings


def _function(function: Function) -> str:
    first, second = function.contract
    lines = [f"/* {first}", f" * {second}"]
    if function.clauses:
        lines.append(f" * {', '.join(function.clauses)}.")
    if function.optional:
        lines.append(" * Optional.")
    return "\n".join([*lines[:-1], f"{lines[-1]} */", function.declaration, ""])
