"""Targets: what a TARGET on the command line stands for, and whether it can be checked.

`resolve` finds it, `target` is what is found, `python` imports code of the user, `handshake` looks at
what it offers. All of this runs in the worker; the code of a target never enters the supervisor.
May import `programs` and what lies below it.
"""

from tmem.conformance.targets.target import Target, TargetError

__all__ = ["Target", "TargetError"]
