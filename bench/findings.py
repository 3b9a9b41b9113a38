"""Reasons why goals are not reached, by the key of the goal; shown only while it is not reached."""

from __future__ import annotations

STEPS = (
    "the time besides lz4 goes into the call, the checks, the lookups, one lock and the count of room, "
    "as the table *Where the time goes* shows"
)
MANY = (
    "the checks and lookups of handles, and the storing of each page of a put, are done one by one, as the "
    "table *Where the time goes* shows; the cost of a call is shared by 16 pages and hardly counts"
)
MEMORY = (
    "the pages are no longer in the processor's caches, and fetching one from memory takes as long as a "
    "good part of its decompression. The loop over as many pages, without any lookup, has the same cost"
)
PREEMPTED = (
    "the same puts without any reclaim, in the same run, show how much of this is due to the machine: if "
    "others use it too, a thread is preempted for milliseconds at more than one put in a thousand"
)
IN_TURN = (
    "with a codec that keeps the interpreter, two threads work in turn, so together they reach at most what "
    "one does; they lose the time for switching threads every 5 ms. The compiled codec releases the "
    "interpreter if two threads take turns: then they use two cores"
)
CONVOY = (
    "each batch releases the interpreter and afterwards waits for it, until the other thread begins a "
    "batch of its own"
)
BESIDE = (
    "two threads that do not release the interpreter have half of the time each, which is 2x; the rest is "
    "because two cores of one machine share caches and clock"
)

FINDINGS = {
    "put": f"{STEPS}. A put writes to memory that is not in the caches. The loop, which drops the data at "
    "once, does not; the dict with lz4 and a lock shows how much this costs.",
    "get": f"{STEPS}. lz4 takes so little of a hit that the calls within it matter.",
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
    "full get hit, loop": f"{MEMORY}; a store reaches a page through three more objects, and the table "
    "of get hits below shows what that costs.",
    "full flush page": f"{MEMORY}.",
    "churn": "glibc gives each thread an arena of its own, and memory that one thread frees is not used by "
    "another. `MALLOC_ARENA_MAX=1` in the environment helps as much as the comparison shows.",
    "hold": "a batch of the reclaimer takes a tenth of that. Longer ones are due to the machine: memory "
    "that is used for the first time, and interrupts, which count as CPU time of the thread.",
    "destroy": "between two pauses, destroy takes less than a millisecond of CPU time. A thread waits longer "
    "if the machine preempts the one that destroys while it has the interpreter. The comparison shows "
    "how often the machine preempts a single thread.",
    "late": f"{PREEMPTED}.",
    "late background": f"{PREEMPTED}.",
}
