"""The rules of the protocol, one function each; `tmem harness-check` tries them against a server.

Each function's docstring is the rule. It raises WrongError where an answer breaks it, and returns a reason
where the server does not offer what it is about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tmem.conformance.remote.dialogue import Peer, WrongError
from tmem.conformance.remote.line import SilentError
from tmem.conformance.remote.rules.framing import half_closed, half_frame, lengths, order, pieces, slow_reader
from tmem.conformance.remote.rules.requests import (
    abilities,
    before_hello,
    longest_request,
    operations,
    page_lengths,
    wrong_hello,
    wrong_requests,
)
from tmem.conformance.remote.rules.sessions import close, hello, joining

Rule = Callable[[Peer], str | None]
RULES: Final[dict[str, Rule]] = {
    rule.__name__.replace("_", "-"): rule
    for rule in (
        hello,
        before_hello,
        wrong_hello,
        operations,
        abilities,
        wrong_requests,
        page_lengths,
        lengths,
        longest_request,
        order,
        pieces,
        slow_reader,
        half_closed,
        half_frame,
        close,
        joining,
    )
}
"""All rules by name."""


def broken(rule: Rule, peer: Peer) -> tuple[str | None, str | None]:
    """Try a rule: how it is broken, and why it was not tried; None for either that is not so."""
    try:
        return None, rule(peer)
    except (WrongError, SilentError) as error:
        return str(error), None
