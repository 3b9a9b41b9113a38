"""What stands in the way where a goal is not reached, by the goal's key; shown only while that is so."""

from __future__ import annotations

STEPS = (
    "what is left beside lz4 is Python: the call, the checks, the lookups, the codec's own call and "
    "the locks, as the table *Where the time goes* shows"
)
ACCOUNT = (
    "The largest single part is the account under the room's lock, which every put takes after its "
    "pool's; room that a pool takes in advance, for many pages at once, would leave one lock."
)
MEMORY = (
    "the pages are no longer in the processor's caches, and to fetch one from memory costs as much as a "
    "good part of its decompression. The loop over as many pages, which looks nothing up, pays for the same"
)
PREEMPTED = (
    "the same puts without any reclaim, in the same run, say how much of this is the machine's: on one that "
    "others use too, a thread is set aside for milliseconds at more than one put in a thousand"
)
GIVES_UP = "`lz4.block` gives up the interpreter for each page, "

FINDINGS = {
    "put": f"{STEPS}. {ACCOUNT}",
    "get": f"{STEPS}. A hit has so little of lz4 that the calls inside it matter.",
    "two put": GIVES_UP + "and two threads hand it to each other more often than they gain from two cores.",
    "two get": GIVES_UP
    + "and to take it back costs more than to decompress the page beside the other thread.",
    "busy put": GIVES_UP + "and a busy thread keeps it for a switch interval, 5 ms by default, each time.",
    "busy get": GIVES_UP + "and a busy thread keeps it for a switch interval, 5 ms by default, each time.",
    "full put": f"{MEMORY}.",
    "full put, ephemeral": f"{MEMORY}.",
    "full get hit": f"{MEMORY}.",
    "full flush page": f"{MEMORY}.",
    "churn": "glibc gives each of the threads an arena of its own, and what one frees another does not use. "
    "`MALLOC_ARENA_MAX=1` in the environment helps by what the comparison shows.",
    "destroy": "between two pauses the destroyer works for less than a millisecond of CPU time; who waits "
    "longer waits while the machine has set it aside with the interpreter in its hands. The comparison says "
    "how often the machine does that to a thread alone.",
    "late": f"{PREEMPTED}.",
    "late background": f"{PREEMPTED}.",
}
