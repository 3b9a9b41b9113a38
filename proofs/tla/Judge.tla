------------------------------- MODULE Judge -------------------------------
(* The judge: it sees answers alone, and knows of each slot that it holds nothing, this page, or this page or nothing.

   TLC follows it beside the set of all worlds in which the backend may be. The judge accepts a letter exactly where
   some world allows it, and what it believes is that set, no more and no less. *)
EXTENDS Store

VARIABLES worlds, belief   \* belief is a world whose slots hold [page, sure]

Absent == [page |-> Nothing, sure |-> FALSE]
Fresh == [Start EXCEPT !.holds = [pool \in Pools |-> [p \in Places |-> Absent]]]

May(b, n, p) == b.holds[b.stands[n]][p]
Knows(b, n, p, page, sure) == [b EXCEPT !.holds[b.stands[n]][p] = [page |-> page, sure |-> sure], !.asked[n] = Nothing]
Forgets(b, n, p) == Knows(b, n, p, Nothing, FALSE)

(* A client that joined a shared pool as another kind, and was not told its kind. *)
Untold(b, n) == b.asked[n] # Nothing /\ b.asked[n] # Is(b, n)
OwnPool(b, n, answer) ==   \* that a shared request got a private pool, told before anything else was done
  LET told == Kind(answer \in {"1", "3", "0x01000001"}, answer \in {"2", "3"}, b.uuid[n]) IN
  ~told.shared /\ b.asked[n] # Nothing /\ told # Is(b, n) /\ told.persistent = b.asked[n].persistent
SameKind(b, n, answer) ==
  Kind(answer \in {"1", "3", "0x01000001"}, answer \in {"2", "3"}, b.uuid[n]) = Is(b, n)

AcceptsOfADeadId(l) ==
  CASE l.op = "new pool" -> TRUE
    [] l.op = "hit" -> FALSE
    [] l.op = "get" -> l.answer \in {"None", "EEMPTY", "ENODEV"}
    [] l.op = "pool flags" -> l.answer = "ENODEV"
    [] l.op = "malformed" -> TRUE
    [] OTHER -> l.answer \in {"False", "ENODEV"}

Accepts(b, l) ==
  CASE "name" \notin DOMAIN l -> TRUE
    [] b.stands[l.name] = NoPool -> AcceptsOfADeadId(l)
    [] l.op = "new pool" -> FALSE
    [] l.op = "destroy pool" -> l.answer \in {"True", "False"}
    [] l.op = "malformed" -> l.answer # "ENODEV"
    [] l.op = "pool flags" -> l.answer # "ENODEV" /\ (SameKind(b, l.name, l.answer) \/ OwnPool(b, l.name, l.answer))
    [] Untold(b, l.name) -> FALSE
    [] l.op = "put" -> l.answer \in {"True", "False", "ENOMEM", "ENOSPC", "EFROZEN"}
    [] l.op = "hit" -> May(b, l.name, l.place).page = l.page
    [] l.op = "get" -> ~May(b, l.name, l.place).sure
    [] OTHER -> l.answer \in {"True", "False", "EFROZEN"}

Leaves(b, n) ==
  LET pool == b.stands[n]
      left == [b EXCEPT !.stands[n] = NoPool, !.asked[n] = Nothing, !.uuid[n] = "none"] IN
  IF \E m \in Names : left.stands[m] = pool THEN left
  ELSE [left EXCEPT !.persists[pool] = FALSE, !.holds[pool] = Fresh.holds[pool]]

Joins(b, n, r) ==
  LET pool == IF KindOf(r).shared THEN <<"shared", r.uuid>> ELSE <<"private", n>>
      first == \A m \in Names : b.stands[m] # pool IN
  [b EXCEPT !.stands[n] = pool, !.asked[n] = KindOf(r), !.uuid[n] = r.uuid,
            !.persists[pool] = IF first THEN r.persistent ELSE @]

Learned(b, l) ==
  CASE "name" \notin DOMAIN l \/ l.op = "malformed" -> b
    [] l.op = "new pool" -> Joins(b, l.name, l.request)
    [] b.stands[l.name] = NoPool -> b
    [] l.op = "destroy pool" -> Leaves(b, l.name)
    [] l.op = "pool flags" /\ SameKind(b, l.name, l.answer) -> [b EXCEPT !.asked[l.name] = Nothing]
    [] l.op = "pool flags" ->
         LET left == Leaves(b, l.name)
             own == <<"private", l.name>> IN
         [left EXCEPT !.stands[l.name] = own, !.uuid[l.name] = b.uuid[l.name],
                      !.persists[own] = b.asked[l.name].persistent]
    [] l.op = "put" /\ l.answer = "True" -> Knows(b, l.name, l.place, l.page, b.persists[b.stands[l.name]])
    [] l.op \in {"put", "flush page"} -> Forgets(b, l.name, l.place)
    [] l.op = "hit" /\ ~Exclusive(b, l.name) -> [b EXCEPT !.asked[l.name] = Nothing]
    [] l.op = "get" /\ l.answer \notin {"None", "EEMPTY"} /\ ~b.persists[b.stands[l.name]] ->
         [b EXCEPT !.asked[l.name] = Nothing]
    [] l.op \in {"hit", "get"} -> Forgets(b, l.name, l.place)
    [] l.op = "flush object" ->
         [b EXCEPT !.holds[b.stands[l.name]] = [p \in Places |-> IF p[1] = l.object THEN Absent ELSE @[p]],
                   !.asked[l.name] = Nothing]

Reach(ws, l) == UNION {Vanishings(end) : end \in UNION {Ends(w, l) : w \in ws}}

(* The worlds that a belief allows. *)
Allowed(b, w) ==
  /\ w.stands = b.stands /\ w.persists = b.persists /\ w.asked = b.asked /\ w.uuid = b.uuid
  /\ \A pool \in Pools, p \in Places :
       \/ w.holds[pool][p] = b.holds[pool][p].page
       \/ w.holds[pool][p] = Nothing /\ ~b.holds[pool][p].sure
Open(b) == {<<pool, p>> \in Pools \X Places : b.holds[pool][p].page # Nothing /\ ~b.holds[pool][p].sure}

JudgeInit == worlds = {Start} /\ belief = Fresh /\ world = Start /\ last = [op |-> "none"]
JudgeNext == \E l \in Letters :
  /\ Accepts(belief, l)
  /\ worlds' = Reach(worlds, l) /\ belief' = Learned(belief, l)
  /\ UNCHANGED <<world, last>>
JudgeSpec == JudgeInit /\ [][JudgeNext]_<<worlds, belief, world, last>>

AcceptsExactlyWhatCanHappen == \A l \in Letters : Accepts(belief, l) <=> \E w \in worlds : Ends(w, l) # {}
BelievesExactlyWhatCanBe ==
  /\ \A w \in worlds : Allowed(belief, w)
  /\ Cardinality(worlds) = Cardinality(SUBSET Open(belief))
=============================================================================
