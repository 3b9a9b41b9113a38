"""The counters of a server, as lines for people and in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Final

from tmem.conformance.server.listen import Peers
from tmem.spec.abi import errors

OPERATIONS: Final = {
    "NewPool": "new_pool",
    "DestroyPool": "destroy_pool",
    "Put": "put",
    "Get": "get",
    "FlushPage": "flush_page",
    "FlushObject": "flush_object",
    "PoolFlags": "pool_flags",
    "Reclaim": "reclaim",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure, with what sets it apart from others of its name."""

    name: str
    kind: str
    says: str
    value: int
    labels: tuple[tuple[str, str], ...] = ()


def metrics(peers: Peers) -> Iterator[Metric]:
    """All figures of a server now; those of one name stand together."""
    for (body, outcome), count in sorted(peers.sessions.answered.items()):
        labels = ("operation", OPERATIONS[body]), ("answer", _outcome(outcome))
        yield Metric("operations_total", "counter", "Operations by what they answered.", count, labels)
    yield Metric("connections", "gauge", "Connections now.", len(peers.all))
    yield Metric("connections_total", "counter", "Connections that were taken.", peers.accepted)
    yield Metric("connections_refused_total", "counter", "Connections that were too many.", peers.refused)
    yield Metric("misread_total", "counter", "Connections ended for what they sent.", peers.misread)
    sessions = peers.sessions.open.values()
    yield Metric("sessions", "gauge", "Sessions now.", len(sessions))
    yield Metric("pools", "gauge", "Pools now.", sum(len(each.pools) for each in sessions))
    count_of = getattr(peers.sessions.store, "counters", None)
    found: object = count_of() if callable(count_of) else None
    if is_dataclass(found):
        for each in fields(found):
            value = getattr(found, each.name)
            if isinstance(value, int):
                yield Metric(f"store_{each.name}", "gauge", f"The store's count «{each.name}».", value)


def prometheus(peers: Peers) -> str:
    """The figures as Prometheus reads them."""
    lines: list[str] = []
    said = ""
    for each in metrics(peers):
        name = f"tmem_{each.name}"
        if name != said:
            lines += (f"# HELP {name} {each.says}", f"# TYPE {name} {each.kind}")
            said = name
        labels = ",".join(f'{key}="{value}"' for key, value in each.labels)
        lines.append(f"{name}{{{labels}}} {each.value}" if labels else f"{name} {each.value}")
    return "\n".join(lines) + "\n"


def text(peers: Peers) -> str:
    """The figures as lines for people."""
    rows = [
        (" ".join((each.name.replace("_", " "), *(value for _, value in each.labels))), each.value)
        for each in metrics(peers)
    ]
    return "".join(f"{value:>15,}  {name}\n" for name, value in rows)


def _outcome(outcome: int) -> str:
    return {1: "yes", 0: "no"}.get(outcome) or errors.name(-outcome)
