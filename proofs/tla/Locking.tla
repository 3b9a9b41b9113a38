------------------------------ MODULE Locking ------------------------------
(* The locks of tmem.impl as docs/locking.md describes them, and that every operation returns (TMEM-CONC-3).

   Callers come down from the handle: registry, pool, room. The reclaimer comes up from the page: it holds the room's
   lock and tries a pool's lock, and never waits for one. A put that lacks room reclaims itself, with no lock held,
   a bounded number of times. Assumed: who waits for a lock that is free again and again gets it at last, and whoever
   can go on does. *)
EXTENDS Naturals, FiniteSets

CONSTANTS
  Callers, Pools,
  Room,      \* how many pages fit
  Rounds,    \* how often a put reclaims before it fails
  Waits      \* TRUE: the reclaimer waits for a pool's lock with the room's lock in hand, which is wrong

Reclaimer == "reclaimer"
Processes == Callers \cup {Reclaimer}
Locks == {"registry", "room"} \cup Pools
Free == "free"

VARIABLES
  pc,        \* where each process is
  does,      \* the operation that a caller is in: put, take (a get or a flush) or destroy
  pool,      \* the pool that a process is concerned with
  rounds,    \* how often the put of a caller has reclaimed
  holder,    \* who holds each lock
  pages      \* how many pages each pool holds

vars == <<pc, does, pool, rounds, holder, pages>>

Used == LET Sum[S \in SUBSET Pools] == IF S = {} THEN 0
                                       ELSE LET p == CHOOSE p \in S : TRUE IN pages[p] + Sum[S \ {p}]
        IN Sum[Pools]

Init ==
  /\ pc = [x \in Processes |-> "idle"]
  /\ does = [x \in Processes |-> "take"]
  /\ pool = [x \in Processes |-> CHOOSE p \in Pools : TRUE]
  /\ rounds = [x \in Processes |-> 0]
  /\ holder = [lock \in Locks |-> Free]
  /\ pages = [p \in Pools |-> 0]

Go(x, from, to) == pc[x] = from /\ pc' = [pc EXCEPT ![x] = to]
Take(x, lock) == holder[lock] = Free /\ holder' = [holder EXCEPT ![lock] = x]
Drop(x, locks) == holder' = [lock \in Locks |-> IF lock \in locks THEN Free ELSE holder[lock]]

-----------------------------------------------------------------------------
(* An operation. Only what waits for a lock can be held up. *)

Begin(x) == \E p \in Pools, op \in {"put", "take", "destroy"} :
  /\ Go(x, "idle", IF op = "destroy" THEN "wants registry" ELSE "wants pool")
  /\ does' = [does EXCEPT ![x] = op] /\ pool' = [pool EXCEPT ![x] = p] /\ rounds' = [rounds EXCEPT ![x] = 0]
  /\ UNCHANGED <<holder, pages>>

TakeRegistry(x) == Go(x, "wants registry", "wants pool") /\ Take(x, "registry") /\ UNCHANGED <<does, pool, rounds, pages>>
TakePool(x) == Go(x, "wants pool", "wants room") /\ Take(x, pool[x]) /\ UNCHANGED <<does, pool, rounds, pages>>
TakeRoom(x) == Go(x, "wants room", "has room") /\ Take(x, "room") /\ UNCHANGED <<does, pool, rounds, pages>>

(* What an idle process did last makes no difference. *)
Forget(x) ==
  /\ does' = [does EXCEPT ![x] = "take"] /\ rounds' = [rounds EXCEPT ![x] = 0]
  /\ pool' = [pool EXCEPT ![x] = CHOOSE p \in Pools : TRUE]

Mine(x) == {lock \in Locks : holder[lock] = x}

Effect(x) ==
  LET p == pool[x] IN
  /\ pc[x] = "has room"
  /\ IF does[x] = "put" /\ Used = Room /\ rounds[x] < Rounds
     THEN /\ pc' = [pc EXCEPT ![x] = "wants to reclaim"]
          /\ UNCHANGED pages
     ELSE /\ pc' = [pc EXCEPT ![x] = "idle"]
          /\ pages' = [pages EXCEPT ![p] =
               CASE does[x] = "destroy" -> 0
                 [] does[x] = "take" \/ Used = Room -> IF @ = 0 THEN 0 ELSE @ - 1   \* a put that fails drops the old page
                 [] OTHER -> @ + 1]
  /\ Drop(x, Mine(x))
  /\ IF pc'[x] = "idle" THEN Forget(x) ELSE UNCHANGED <<does, pool, rounds>>

-----------------------------------------------------------------------------
(* Reclaim, by the reclaimer or by a put that lacks room; `back` is where who reclaimed goes on. *)

Back(x) == IF x = Reclaimer THEN "idle" ELSE "wants pool"

Wake == Go(Reclaimer, "idle", "wants to reclaim") /\ UNCHANGED <<does, pool, rounds, holder, pages>>

BeginReclaim(x) == Go(x, "wants to reclaim", "strikes") /\ Take(x, "room") /\ UNCHANGED <<does, pool, rounds, pages>>

Strike(x) ==
  /\ pc[x] = "strikes"
  /\ \E p \in {p \in Pools : pages[p] > 0 /\ (holder[p] = Free)} : pages' = [pages EXCEPT ![p] = @ - 1]
  /\ pc' = [pc EXCEPT ![x] = Back(x)]
  /\ rounds' = [rounds EXCEPT ![x] = IF x = Reclaimer THEN 0 ELSE @ + 1]
  /\ Drop(x, {"room"})
  /\ UNCHANGED <<does, pool>>

(* Every pool with pages is busy, or there are no pages: with no lock held, wait for one of them, or go on. *)
PassOver(x) ==
  /\ pc[x] = "strikes" /\ ~Waits
  /\ \A p \in Pools : pages[p] > 0 => holder[p] # Free
  /\ pc' = [pc EXCEPT ![x] = IF x = Reclaimer \/ Used = 0 THEN Back(x) ELSE "waits"]
  /\ rounds' = [rounds EXCEPT ![x] = IF x = Reclaimer THEN 0 ELSE @ + 1]
  /\ Drop(x, {"room"})
  /\ UNCHANGED <<does, pool, pages>>

(* Wrong: with the room's lock in hand, wait for a pool whose holder may be waiting for the room's lock. *)
NothingToStrike(x) ==
  /\ pc[x] = "strikes" /\ Waits /\ Used = 0
  /\ pc' = [pc EXCEPT ![x] = Back(x)]
  /\ rounds' = [rounds EXCEPT ![x] = IF x = Reclaimer THEN 0 ELSE @ + 1]
  /\ Drop(x, {"room"})
  /\ UNCHANGED <<does, pool, pages>>

Waited(x) ==
  /\ pc[x] = "waits" /\ \E p \in Pools : holder[p] = Free
  /\ pc' = [pc EXCEPT ![x] = Back(x)]
  /\ UNCHANGED <<does, pool, rounds, holder, pages>>

-----------------------------------------------------------------------------

Waiting(x) == TakeRegistry(x) \/ TakePool(x) \/ TakeRoom(x) \/ BeginReclaim(x) \/ Strike(x) \/ Waited(x)
Going(x) == Effect(x) \/ PassOver(x) \/ NothingToStrike(x)
Next == Wake \/ \E x \in Processes : Waiting(x) \/ Going(x) \/ (x \in Callers /\ Begin(x))
Fairness == \A x \in Processes : SF_vars(Waiting(x) \/ Going(x))   \* a process waits for one thing at a time
Spec == Init /\ [][Next]_vars /\ Fairness

NeverTooMuch == Used <= Room
NoLockIsKept == \A x \in Processes : pc[x] \in {"idle", "waits", "wants to reclaim"} => Mine(x) = {}
RoomIsTheLast == \A x \in Processes : pc[x] = "strikes" => Mine(x) = {"room"}

(* TMEM-CONC-3: whatever the others and the reclaimer do, an operation that began returns. *)
CONC_3 == \A x \in Callers : pc[x] # "idle" ~> pc[x] = "idle"
=============================================================================
