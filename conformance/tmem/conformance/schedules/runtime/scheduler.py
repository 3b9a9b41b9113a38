"""The scheduler of virtual threads, of which one runs at a time: until it blocks, ends or is preempted.

Code under test calls `point` wherever it may be preempted, and `block` and `wake` where it waits. Between two
points nothing else runs, so the strategy alone decides an execution: it says how many points a thread may
pass, and which thread goes on when one is stopped, blocks or ends. A process has one scheduler.
"""

from __future__ import annotations

from _thread import get_ident
from collections.abc import Callable
from typing import Final

from greenlet import GreenletExit, getcurrent, greenlet

from tmem.conformance.schedules.runtime.blocked import Blocked
from tmem.conformance.schedules.runtime.places import place
from tmem.conformance.schedules.runtime.real_threads import RealThread
from tmem.conformance.schedules.runtime.run_queue import RunQueue
from tmem.conformance.schedules.runtime.virtual import (
    FOREVER,
    MAIN,
    Mark,
    NeverPreempt,
    Preemption,
    Segment,
    Strategy,
    Stuck,
    VirtualThread,
    after,
    deadlock,
    livelock,
    order,
    wait_of,
)

FAIR: Final = 1_000
"""Points in one go after which another thread gets its turn, so that a thread which spins ends its wait."""


class Scheduler:
    """The scheduler. `begin` and `end` frame an execution; the thread that calls `begin` is MAIN."""

    def __init__(self) -> None:
        self.trace: list[Mark] | None = None
        self.executions = 0
        """Executions that were begun."""
        self.running = False
        self.release_points = True
        """Whether the release of a lock is a switch point. Where statements are, it need not be."""
        self.begin(NeverPreempt(), FOREVER)

    def begin(
        self,
        strategy: Strategy,
        limit: int,
        *,
        record: bool = False,
        trace: bool = False,
        real_threads: bool = False,
    ) -> None:
        """Begin an execution. No thread is preempted before `release` is called.

        `strategy` decides at `limit` points at the most. Then threads take turns for as long again; if they
        still go on, that is a livelock. `record` keeps the segments, and `trace` the marks. With
        `real_threads` each virtual thread is carried by a thread of the system, otherwise by a greenlet.
        """
        self.executions += 1
        self.running = limit < FOREVER
        self.strategy: Strategy = NeverPreempt()
        self.chosen = strategy
        self.limit = limit
        self.turns = False
        self.segments: list[Segment] | None = [] if record else None
        self.trace = [] if trace else None
        self.place: Callable[[], str] = place
        """The place where the code under test is; compiled code has another way to it."""
        self.left = self.armed = FOREVER
        self.asked = False
        self.steps = 0
        self.now = 0.0
        self.dying = False
        self.released = False
        self.failure: Stuck | None = None
        self.crashes: list[tuple[VirtualThread, BaseException]] = []
        self.preemptions: list[Preemption] = []
        self.main = VirtualThread(MAIN, "main", None, background=False)
        self.real_threads = real_threads
        self.main.carrier = RealThread.of_caller() if real_threads else getcurrent()
        self.current = self.main
        self.threads: list[VirtualThread] = []
        self.queue = RunQueue(self.main)
        self.unfinished = 0
        self.outside = Blocked()

    def end(self) -> None:
        """End every thread that is left. MAIN calls it, whatever the outcome of the execution."""
        self.dying = True
        self.left = self.armed = 1 if self.outside else FOREVER
        blocked = list(self.outside.values())
        for thread in (*(each for each in self.threads if each not in blocked), *blocked):
            if thread.done or thread.carrier is None or thread.carrier.dead:
                continue
            while thread in self.outside.values():
                self._let_in()
            thread.carrier.parent = self.main.carrier
            self.current = thread
            thread.carrier.throw(GreenletExit)
        self.begin(NeverPreempt(), FOREVER)

    # Threads

    def spawn(self, body: Callable[[], None], name: str, background: bool) -> VirtualThread:
        """Make a thread that is ready. A background thread is the target's, and ends with the execution."""
        self.here()
        self.count_points()
        thread = VirtualThread(len(self.threads), name, body, background)
        carrier = RealThread if self.real_threads else greenlet
        thread.carrier = carrier(self._body, self.main.carrier)
        self.threads.append(thread)
        self.queue.add(thread)
        if not background:
            self.unfinished += 1
        if self.released:
            self._arm(self.current)
        return thread

    def release(self) -> None:
        """Let the strategy decide until every thread of the program has ended. MAIN waits here."""
        self.count_points()
        self.strategy = self.chosen
        self.released = True
        self.main.operation = self.main.points = 0
        if self.unfinished:
            self.block(self, "the program")
        self.released = False
        self.strategy = NeverPreempt()
        self.left = self.armed = FOREVER
        if self.failure is not None:
            raise self.failure

    def begin_operation(self, number: int) -> None:
        """The current thread begins an operation. It may be preempted before each but its first."""
        me = self.here() if self.outside else self.current
        if not self.released:  # MAIN is not preempted
            me.operation = number
            return
        self.count_points()
        if self.outside:
            self._let_in()
        me.operation = number
        me.points = 0
        self.queue.idle = 0
        self._arm(me)
        if number:
            self.point()

    def _body(self, *_: object) -> None:
        me = self.current
        try:
            assert me.body is not None
            me.body()
        except GreenletExit:
            return
        except Stuck as failure:
            self._fail(failure)
        except BaseException as error:
            self.crashes.append((me, error))
        self.here()
        self.count_points()
        me.done = True
        self.queue.ready.remove(me)
        if not me.background:
            self.unfinished -= 1
            if not self.unfinished and self.main.waiting is self:
                self.wake(self.main)
        for thread in [t for t in (self.main, *self.threads) if t.waiting is me]:
            self.wake(thread)
        me.operation += 1
        me.points = 1
        to = self.follow(me) or self.main
        self.enter(to)
        me.carrier.parent = to.carrier

    # Points

    def point(self) -> None:
        """The current thread reaches a switch point."""
        self.left -= 1
        if not self.left:
            self.reached()

    def reached(self) -> None:
        """The strategy asked to decide at this point, or the thread has gone on for FAIR points."""
        if self.outside and not self._decides_here():
            return
        self.count_points()
        if self.dying:
            self.left = self.armed = 1 if self.outside else FAIR
            return
        me = self.current
        if self.outside and not self.asked:
            self._let_in()
        if self._spent():
            self._fail(livelock(self.steps))
        others = self.queue.others(me)
        to = me
        if others:
            to = self.strategy.choose(me, others) if self.asked else after(me, others)
        if to is me:
            self._arm(me)
            return
        if self.asked:
            self.preemptions.append(Preemption(me.index, me.operation, me.points, to.index))
        else:
            self.now += 0.01
        if self.trace is not None:
            self.trace.append(Mark("switch", me.index, to.index, self.place()))
        self.enter(to)
        to.carrier.switch()

    def take_turns(self, points: int) -> None:
        """The current thread spins, which counts as so many points: another one goes on."""
        self.left -= points
        self.asked = False
        self.reached()

    def count_points(self) -> None:
        """Count the points that were passed since the last time."""
        passed = self.armed - self.left
        if not passed:
            return
        me = self.current
        if self.segments is not None and self.released:
            others = tuple(t.index for t in self.queue.others(me))
            first = me.points + 1
            self.segments.append(Segment(me.index, me.operation, first, me.points + passed, others, False))
        self.armed = self.left
        me.points += passed
        self.steps += passed

    def _arm(self, thread: VirtualThread) -> None:
        if len(self.queue.ready) < 2 and not self.queue.sleeping:  # nobody else could run: `wake` arms anew
            self.asked = False
            points = FAIR
        else:
            distance = FOREVER if self.turns else self.strategy.distance(thread)
            self.asked = distance <= FAIR
            # Never past the limit: turns are to begin at the same point whatever the strategy is.
            points = max(1, min(distance, FAIR, self.limit - self.steps))
        if self.outside:  # every point is looked at
            self.outside.until, points = points, 1
        self.left = self.armed = points

    def enter(self, thread: VirtualThread) -> None:
        """This thread is the current one from now on. The caller switches to it."""
        if thread.deadline is not None and thread not in self.queue.ready:
            self._pass_time(thread.deadline)
        if not thread.background:
            self.queue.idle = 0
        self.current = thread
        self._arm(thread)

    # Waiting

    def block(self, on: object, waits: str, timeout: float | None = None) -> bool:
        """The current thread waits until it is woken (True), or until virtual seconds have passed (False)."""
        me = self.here() if self.outside else self.current
        if self.dying:
            raise GreenletExit
        self.count_points()
        me.points += 1
        self.steps += 1
        me.timed_out = False
        self.queue.wait(me, on, waits, None if timeout is None else self.now + max(timeout, 0.0))
        to = self.follow(me)
        if to is None:
            assert self.failure is not None
            raise self.failure
        if self.trace is not None:
            self.trace.append(Mark("block", me.index, wait_of(me), self.place()))
        self.enter(to)
        if to is not me:
            to.carrier.switch()
        return self.queue.goes_on(me)

    def wake(self, thread: VirtualThread) -> None:
        """A thread that waits becomes ready."""
        if thread in self.queue.ready:
            return
        self.count_points()
        self.queue.add(thread)
        if self.released:
            self._arm(self.current)

    def hold_back(self, thread: VirtualThread, on: object) -> None:
        """A thread was woken for something that is gone again: it waits on."""
        if thread.deadline is not None and thread.deadline <= self.now:
            thread.timed_out = True
            return
        self.count_points()
        thread.waiting = on
        self.queue.ready.remove(thread)

    def follow(self, me: VirtualThread) -> VirtualThread | None:
        """The thread that goes on after `me`. None if there is none and `me` is MAIN: `failure` is set."""
        ready = self.queue.ready
        if self.outside:
            self._let_in()
        if self._spent():
            return self._fail_in_main(livelock(self.steps), me)
        while not ready and not self.queue.sleeping and self.outside:
            self._let_in()
        if not ready:
            if (sleeper := self.queue.first_to_wake()) is not None:
                return sleeper
            return self._fail_in_main(deadlock((self.main, *self.threads), self), me)
        if ready[0] is self.main:
            return self.main
        choices = self.queue.following(me)
        if len(choices) == 1:
            return ready[0]
        if self.turns:
            return after(me, sorted(choices, key=order))
        if self.segments is not None and self.released:
            indexes = tuple(t.index for t in choices[1:])
            self.segments.append(Segment(me.index, me.operation, me.points, me.points, indexes, True))
        to = self.strategy.follow(me, choices)
        if to is not ready[0]:
            self.preemptions.append(Preemption(me.index, me.operation, me.points, to.index))
        return to

    def _spent(self) -> bool:
        # A strategy may starve a thread that others wait for: only what goes on in turns is a livelock.
        if self.steps < self.limit:
            return False
        if self.turns:
            return True
        self.turns = True
        self.asked = False
        self.limit *= 2
        return False

    def _pass_time(self, until: float) -> None:
        self.now = max(self.now, until)
        for thread in self.queue.due(self.now):
            thread.timed_out = True
            self.wake(thread)

    # Failing

    def _fail_in_main(self, failure: Stuck, me: VirtualThread) -> VirtualThread | None:
        self.failure = self.failure or failure
        if me is self.main:
            return None
        if self.main.waiting is not self:  # MAIN waits inside the target
            self.current = self.main
            self.main.carrier.throw(self.failure)
        self.main.waiting = None
        return self.main

    def _fail(self, failure: Stuck) -> None:
        to = self._fail_in_main(failure, self.current)
        if to is None:
            raise failure
        self.enter(to)
        to.carrier.switch()

    # Threads that are blocked outside Python

    def here(self) -> VirtualThread:
        """The current thread. A thread that was blocked outside Python waits for its turn here."""
        if self.outside and (thread := self.outside.get(get_ident())) is not None:
            self.outside.back.append(thread)
            self.left = self.armed = 1
            thread.carrier.wait()
        return self.current

    def _decides_here(self) -> bool:
        # While threads are blocked outside, every point comes here, so that theirs are noticed.
        if get_ident() in self.outside:
            self.here()
            return False
        self.count_points()
        self.outside.until -= 1
        if self.outside.until > 0:
            self.left = self.armed = 1
        return self.outside.until <= 0

    def _let_in(self) -> None:
        # Threads that are back become ready, at places that do not depend on how fast they came.
        self.left = self.armed = 1
        for thread in self.outside.returned():
            self.queue.add(thread)


scheduler: Final = Scheduler()
"""The scheduler of this process."""
