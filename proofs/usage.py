"""What both commands refuse before they begin."""

from __future__ import annotations

from collections.abc import Collection

import click


def check_usage(names: Collection[str], known: Collection[str], page: str) -> None:
    """UsageError where assertions are off, or for a name that is not known; `page` lists the names."""
    if not __debug__:
        raise click.UsageError("what is proved are assertions: run without -O and PYTHONOPTIMIZE")
    if unknown := [name for name in names if name not in known]:
        raise click.UsageError(f"there is no {unknown[0]}; the names are listed in {page}")


def missing(module: ModuleNotFoundError) -> click.UsageError:
    """That a module of the extra `prove` is not installed."""
    return click.UsageError(f"{module.name} is missing: pip install 'tmem[prove]'")
