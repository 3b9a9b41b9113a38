------------------------------- MODULE Store -------------------------------
(* A backend: what it may answer, and what it holds afterwards.

   This twin of tmem.spec was written by hand from the sentences of the clauses, and from nothing else.
   TLC explores it, and must find the same states and the same transitions as proofs/small_world finds.

   A world says what each name stands for, which pools are persistent, and what each slot holds. A letter is an
   operation with its answer. Ends(world, letter) is the set of worlds to which a letter may lead; it is empty
   where the contract does not allow the answer.

   A private pool is called by the name that its maker has for it, a shared pool by its UUID. So the twin
   numbers no pools. *)
EXTENDS Naturals, FiniteSets

CONSTANTS
  Names,     \* ⟨client, pool id⟩
  Places,    \* ⟨object id, index⟩
  Pages,
  Requests,  \* what new pool is asked for: [persistent, sharing, uuid]; a UUID is a string
  Nothing,   \* what an empty slot holds, and what there is nothing of
  NoPool     \* what a name stands for that stands for no pool

VARIABLES world, last

Clients == {n[1] : n \in Names}
Objects == {p[1] : p \in Places}

(* Shared with no UUID, or with all ones, gives a private pool; a UUID without the shared bit is ignored. *)
Kind(persistent, sharing, uuid) ==
  [persistent |-> persistent, shared |-> sharing /\ uuid \notin {"none", "all ones"}]
KindOf(r) == Kind(r.persistent, r.sharing, r.uuid)

Pools == {<<"private", n>> : n \in Names} \cup {<<"shared", r.uuid>> : r \in {r \in Requests : KindOf(r).shared}}
Empty == [p \in Places |-> Nothing]

Start == [stands |-> [n \in Names |-> NoPool],
          asked |-> [n \in Names |-> Nothing],
          uuid |-> [n \in Names |-> "none"],
          persists |-> [pool \in Pools |-> FALSE],
          holds |-> [pool \in Pools |-> Empty]]

Live(w, n) == w.stands[n] # NoPool
Users(w, pool) == {n \in Names : w.stands[n] = pool}
Is(w, n) == [persistent |-> w.persists[w.stands[n]], shared |-> w.stands[n][1] = "shared"]
Exclusive(w, n) == Is(w, n) = [persistent |-> FALSE, shared |-> FALSE]
At(w, n, p) == IF Live(w, n) THEN w.holds[w.stands[n]][p] ELSE Nothing

-----------------------------------------------------------------------------
(* Answers. An errno stands for the OSError that has it; a page for the bytes of it. *)

Errnos == {"EPERM", "ENODEV", "ENOMEM", "ENOSPC", "EINVAL", "EFROZEN", "EEMPTY"}
Found == {"True", "False"}
PutFailed == {"False", "ENOMEM", "ENOSPC", "EFROZEN"}
Missed == {"None", "EEMPTY"}
Denied == Errnos \ Missed
Flushed == Found \cup {"EFROZEN"}
NoRoom == {"EPERM", "ENOMEM"}
Refused == {"EINVAL", "ValueError", "OverflowError", "TypeError"}
NoSuchPool == {"False", "ENODEV"}
Flags == {"0", "1", "2", "3", "0x01000001"}      \* what pool flags may tell: bit 0 persistent, bit 1 shared

Malformed == {"put of a short page", "put beyond the object ids", "put below them", "put beyond the indexes",
  "get beyond the object ids", "get below them", "get beyond the indexes", "flush page beyond the object ids",
  "flush page below them", "flush page beyond the indexes", "flush object beyond the object ids", "flush object below them"}
BadFlags == {"a reserved bit", "precompressed", "version 2", "another page size", "33 bits"}
BadPools == {"client of 17 bits", "client below 0", "UUID of 129 bits", "UUID below 0"}

Letters ==
  [op : {"new pool"}, name : Names, request : Requests]              \* the answer is the id in the name
    \cup [op : {"new pool refused"}, client : Clients, request : Requests, answer : NoRoom]
    \cup [op : {"new pool of bad flags"}, flags : BadFlags, answer : NoRoom]
    \cup [op : {"malformed new pool"}, call : BadPools, answer : Refused \cup NoRoom]
    \cup [op : {"pool flags"}, name : Names, answer : Flags \cup {"ENODEV"}]
    \cup [op : {"destroy pool"}, name : Names, answer : Found \cup Errnos]
    \cup [op : {"put"}, name : Names, place : Places, page : Pages, answer : Found \cup Errnos]
    \cup [op : {"hit"}, name : Names, place : Places, page : Pages]  \* a get that answers this page
    \cup [op : {"get"}, name : Names, place : Places, answer : {"None"} \cup Errnos]
    \cup [op : {"flush page"}, name : Names, place : Places, answer : Found \cup Errnos]
    \cup [op : {"flush object"}, name : Names, object : Objects, answer : Found \cup Errnos]
    \cup [op : {"reclaim"}, answer : {"0", "1"} \cup Errnos]
    \cup [op : {"malformed reclaim"}, answer : Refused]
    \cup [op : {"malformed"}, name : Names, call : Malformed, answer : Refused \cup {"ENODEV"}]

-----------------------------------------------------------------------------
(* Pools: TMEM-POOL-1 to -5, TMEM-SHARE-1 and -2. *)

Granted(w, n, r) ==
  LET pool == IF KindOf(r).shared THEN <<"shared", r.uuid>> ELSE <<"private", n>>
      joined == [w EXCEPT !.stands[n] = pool, !.asked[n] = KindOf(r), !.uuid[n] = r.uuid] IN
  CASE Live(w, n) -> {}
    [] Users(w, pool) # {} -> {joined}
    [] OTHER -> {[joined EXCEPT !.persists[pool] = r.persistent]}

Left(w, n) ==
  LET pool == w.stands[n]
      without == [w EXCEPT !.stands[n] = NoPool, !.asked[n] = Nothing, !.uuid[n] = "none"] IN
  IF Users(without, pool) = {} THEN [without EXCEPT !.persists[pool] = FALSE, !.holds[pool] = Empty] ELSE without

Destroyed(w, n, answer) ==
  CASE ~Live(w, n) -> IF answer \in NoSuchPool THEN {w} ELSE {}
    [] answer \in Found -> {Left(w, n)}
    [] OTHER -> {}

(* The kind of the pool; or, before anything else was done with the id, that a shared request got a private pool. *)
Told(w, n, flags) ==
  LET told == Kind(flags \in {"1", "3", "0x01000001"}, flags \in {"2", "3"}, w.uuid[n])
      own == <<"private", n>>
      left == Left(w, n) IN
  CASE ~Live(w, n) -> IF flags = "ENODEV" THEN {w} ELSE {}
    [] flags = "ENODEV" -> {}
    [] told = Is(w, n) -> {[w EXCEPT !.asked[n] = Nothing]}
    [] w.asked[n] = Nothing \/ told.shared -> {}
    [] told.persistent # w.asked[n].persistent -> {}
    [] OTHER -> {[left EXCEPT !.stands[n] = own, !.uuid[n] = w.uuid[n], !.persists[own] = told.persistent]}

-----------------------------------------------------------------------------
(* Pages: TMEM-PUT-1 to -3, TMEM-GET-1 to -3, TMEM-FLUSH-1 and -2. *)

(* Who joined a pool as another kind must be told its kind before anything is done there; what was done is taken
   to be done in a pool of the kind that was asked for. *)
Usable(w, n) == w.asked[n] \in {Nothing, Is(w, n)}
Used(w, n) == [w EXCEPT !.asked[n] = Nothing]
With(w, n, p, page) == [Used(w, n) EXCEPT !.holds[w.stands[n]][p] = page]

Put(w, n, p, page, answer) ==
  CASE answer = "True" -> {With(w, n, p, page)}
    [] answer \in PutFailed -> {With(w, n, p, Nothing)}
    [] OTHER -> {}

(* A hit shows the page that is there. It removes the page in a private ephemeral pool, keeps it in a persistent
   pool, and may do either in a shared ephemeral pool, where any page may vanish. *)
Hit(w, n, p, page) ==
  CASE At(w, n, p) # page -> {}
    [] Exclusive(w, n) -> {With(w, n, p, Nothing)}
    [] Is(w, n).persistent -> {Used(w, n)}
    [] OTHER -> {Used(w, n), With(w, n, p, Nothing)}

Get(w, n, p, answer) ==
  CASE answer \in Missed -> IF At(w, n, p) = Nothing THEN {Used(w, n)} ELSE {}
    [] Is(w, n).persistent /\ At(w, n, p) # Nothing -> {}
    [] OTHER -> {Used(w, n)}

FlushPage(w, n, p, answer) == IF answer \in Flushed THEN {With(w, n, p, Nothing)} ELSE {}

FlushObject(w, n, object, answer) ==
  IF answer \in Flushed
  THEN {[Used(w, n) EXCEPT !.holds[w.stands[n]] = [p \in Places |-> IF p[1] = object THEN Nothing ELSE @[p]]]}
  ELSE {}

OnPages(w, l) ==
  CASE ~Live(w, l.name) ->
         IF l.op # "hit" /\ l.answer \in (IF l.op = "get" THEN Missed \cup {"ENODEV"} ELSE NoSuchPool) THEN {w} ELSE {}
    [] ~Usable(w, l.name) -> {}
    [] l.op = "put" -> Put(w, l.name, l.place, l.page, l.answer)
    [] l.op = "hit" -> Hit(w, l.name, l.place, l.page)
    [] l.op = "get" -> Get(w, l.name, l.place, l.answer)
    [] l.op = "flush page" -> FlushPage(w, l.name, l.place, l.answer)
    [] l.op = "flush object" -> FlushObject(w, l.name, l.object, l.answer)

-----------------------------------------------------------------------------

(* TMEM-ARG-1: an argument out of range is refused and changes nothing; a dead id may be answered first. *)
Wrong(w, n, answer) == IF answer \in Refused \/ ~Live(w, n) THEN {w} ELSE {}

Ends(w, l) ==
  CASE l.op = "new pool" -> Granted(w, l.name, l.request)
    [] l.op = "destroy pool" -> Destroyed(w, l.name, l.answer)
    [] l.op = "pool flags" -> Told(w, l.name, l.answer)
    [] l.op = "malformed" -> Wrong(w, l.name, l.answer)
    [] l.op \in {"put", "hit", "get", "flush page", "flush object"} -> OnPages(w, l)
    [] OTHER -> {w}                                                  \* new pool refused; reclaim

(* TMEM-RECLAIM-1 and -2: while nobody looks, any ephemeral pages may vanish, and no persistent ones. *)
Ephemeral(w) == {<<pool, p>> \in Pools \X Places : ~w.persists[pool] /\ w.holds[pool][p] # Nothing}
Without(w, gone) ==
  [w EXCEPT !.holds = [pool \in Pools |-> [p \in Places |->
                         IF <<pool, p>> \in gone THEN Nothing ELSE w.holds[pool][p]]]]
Vanishings(w) == {Without(w, gone) : gone \in SUBSET Ephemeral(w)}

Init == world = Start /\ last = [op |-> "none"]
Answer == \E l \in Letters : \E end \in Ends(world, l) : world' = end /\ last' = l
Vanish == \E end \in Vanishings(world) \ {world} : world' = end /\ last' = [op |-> "vanish"]
Next == Answer \/ Vanish
View == world   \* two steps to one world are one state, whatever the letters were
Spec == Init /\ [][Next]_<<world, last>>
=============================================================================
