"""What stands in the way where a goal is not reached, by the goal's key; shown only while that is so."""

from __future__ import annotations

STEPS = (
    "what is left beside lz4 is the call, the checks, the lookups, one lock and the count of room, "
    "as the table *Where the time goes* shows"
)
MANY = (
    "the checks of the handles, the lookups and, of a put, the step for each page come one by one, as the "
    "table *Where the time goes* shows; what a call costs is shared by 16 pages and no longer shows"
)
MEMORY = (
    "the pages are no longer in the processor's caches, and to fetch one from memory costs as much as a "
    "good part of its decompression. The loop over as many pages, which looks nothing up, pays for the same"
)
PREEMPTED = (
    "the same puts without any reclaim, in the same run, say how much of this is the machine's: on one that "
    "others use too, a thread is set aside for milliseconds at more than one put in a thousand"
)
IN_TURN = (
    "a codec that keeps the interpreter lets two threads work in turn, so the most they reach is what one "
    "does, and what is less than that is the handing over, every 5 ms. The compiled codec gives the "
    "interpreter up where two threads take turns: then they are two cores"
)
CONVOY = (
    "each batch gives the interpreter up and has to wait for it afterwards, until the other thread begins a "
    "batch of its own"
)
BESIDE = (
    "two threads that do not give up the interpreter have half of the time each, which is 2x; the rest is "
    "that two cores of one machine share caches and clock"
)

FINDINGS = {
    "put": f"{STEPS}. The data is written to memory that was not touched just before, which the loop, that "
    "drops what it made, does not pay for; the dict with lz4 and a lock shows by how much.",
    "get": f"{STEPS}. A hit has so little of lz4 that the calls inside it matter.",
    "put_many": f"{MANY}.",
    "get_many": f"{MANY}.",
    "two put": f"{IN_TURN}.",
    "two get": f"{IN_TURN}.",
    "two put_many": f"{CONVOY}.",
    "two get_many": f"{CONVOY}.",
    "busy put": f"{BESIDE}.",
    "busy get": f"{BESIDE}.",
    "full put": f"{MEMORY}.",
    "full put, ephemeral": f"{MEMORY}.",
    "full get hit": f"{MEMORY}.",
    "full get hit, loop": f"{MEMORY}; a store reaches a page through three objects more, and the table "
    "of get hits below says what that takes.",
    "full flush page": f"{MEMORY}.",
    "churn": "glibc gives each of the threads an arena of its own, and what one frees another does not use. "
    "`MALLOC_ARENA_MAX=1` in the environment helps by what the comparison shows.",
    "hold": "a batch of the reclaimer takes a tenth of that. What takes longer is the machine's: memory that "
    "is touched for the first time, and interrupts, whose time the clock of the thread counts.",
    "destroy": "between two pauses the destroyer works for less than a millisecond of CPU time; who waits "
    "longer waits while the machine has set it aside with the interpreter in its hands. The comparison says "
    "how often the machine does that to a thread alone.",
    "late": f"{PREEMPTED}.",
    "late background": f"{PREEMPTED}.",
}
