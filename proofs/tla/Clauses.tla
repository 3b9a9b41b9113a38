------------------------------ MODULE Clauses ------------------------------
(* The clauses as invariants of worlds and as properties of steps, each written from its sentence. *)
EXTENDS Store

Op(op) == last'.op = op
OnPage == last'.op \in {"put", "hit", "get", "flush page"} /\ Live(world, last'.name)
Before(n, p) == At(world, n, p)
After(n, p) == At(world', n, p)
There == Before(last'.name, last'.place)
ThereNow == After(last'.name, last'.place)
Slot(w, n, p) == <<w.stands[n], p>>
Persistent(n) == Live(world, n) /\ Is(world, n).persistent

TypeOK ==
  /\ world.stands \in [Names -> Pools \cup {NoPool}]
  /\ world.persists \in [Pools -> BOOLEAN]
  /\ world.holds \in [Pools -> [Places -> Pages \cup {Nothing}]]
UnusedPoolsAreEmpty == \A pool \in Pools : Users(world, pool) = {} => world.holds[pool] = Empty
PrivatePoolsAreTheirMakers ==
  \A n \in Names : Live(world, n) /\ ~Is(world, n).shared => world.stands[n] = <<"private", n>>

POOL_1 == [][Op("new pool") =>
  /\ ~Live(world, last'.name) /\ Live(world', last'.name)
  /\ Users(world, world'.stands[last'.name]) = {} => \A p \in Places : After(last'.name, p) = Nothing
  /\ world'.holds = world.holds]_<<world, last>>

POOL_2 == [][last'.op # "vanish" /\ ("name" \in DOMAIN last' \/ "client" \in DOMAIN last') =>
  LET client == IF "name" \in DOMAIN last' THEN last'.name[1] ELSE last'.client IN
  \A n \in Names : n[1] # client =>
    /\ world'.stands[n] = world.stands[n]
    /\ Live(world, n) /\ ~Is(world, n).shared => \A p \in Places : After(n, p) = Before(n, p)]_<<world, last>>

POOL_3 == [][/\ Op("destroy pool") =>
                  /\ Live(world, last'.name) => last'.answer \in Found
                  /\ ~Live(world', last'.name)
                  /\ \A n \in Names \ {last'.name} : world'.stands[n] = world.stands[n]
             /\ ("name" \in DOMAIN last' /\ ~Op("new pool")) => (~Live(world, last'.name) => world' = world)]_<<world, last>>

POOL_4 == [][last'.op \in {"new pool refused", "new pool of bad flags"} => world' = world]_<<world, last>>

(* Told before anything else is done, or what was asked for: then it stays. *)
POOL_5 == [][Op("pool flags") /\ Live(world, last'.name) =>
  /\ last'.answer \in Flags
  /\ Is(world', last'.name).persistent = (last'.answer \in {"1", "3", "0x01000001"})
  /\ (world.asked[last'.name] = Nothing) => Is(world', last'.name) = Is(world, last'.name)]_<<world, last>>

HANDLE_1 == [][OnPage =>
  \A n \in Names, p \in Places :
    (Live(world, n) /\ Slot(world, n, p) # Slot(world, last'.name, last'.place)) => After(n, p) = Before(n, p)]_<<world, last>>

PUT_1 == [][Op("put") /\ OnPage /\ last'.answer # "True" => ThereNow = Nothing]_<<world, last>>

PUT_2 == [][/\ Op("put") /\ last'.answer = "True" => ThereNow = last'.page
            /\ Op("hit") => There = last'.page]_<<world, last>>

(* A page comes into a slot by a put of it that succeeds, and in no other way: no old page comes back. *)
PUT_3 == [][\A n \in Names, p \in Places :
  (world.stands[n] = world'.stands[n] /\ After(n, p) \notin {Nothing, Before(n, p)}) =>
    /\ Op("put") /\ last'.answer = "True" /\ last'.page = After(n, p)
    /\ Slot(world, n, p) = Slot(world, last'.name, last'.place)]_<<world, last>>

GET_1 == [][Op("get") /\ OnPage /\ last'.answer \in Missed => There = Nothing /\ ThereNow = Nothing]_<<world, last>>

GET_2 == [][Op("hit") /\ Exclusive(world, last'.name) => ThereNow = Nothing]_<<world, last>>

GET_3 == [][last'.op \in {"hit", "get"} => (Persistent(last'.name) =>
  /\ Op("hit") => ThereNow = last'.page
  /\ Op("get") => There = Nothing)]_<<world, last>>

FLUSH_1 == [][Op("flush page") /\ OnPage => ThereNow = Nothing]_<<world, last>>

FLUSH_2 == [][Op("flush object") =>
  \A p \in Places : After(last'.name, p) = IF p[1] = last'.object THEN Nothing ELSE Before(last'.name, p)]_<<world, last>>

RECLAIM_1 == [][last'.op \in {"vanish", "reclaim"} =>
  \A n \in Names, p \in Places : Persistent(n) => After(n, p) = Before(n, p)]_<<world, last>>

RECLAIM_2 == [][Op("vanish") => \A n \in Names, p \in Places : After(n, p) \in {Nothing, Before(n, p)}]_<<world, last>>

SHARE_1 == [][/\ Op("new pool") /\ KindOf(last'.request).shared =>
                   world'.stands[last'.name] = <<"shared", last'.request.uuid>>
              /\ Op("new pool") /\ ~KindOf(last'.request).shared =>
                   Users(world', world'.stands[last'.name]) = {last'.name}
              /\ (OnPage \/ Op("flush object")) =>
                   (Live(world, last'.name) => world.asked[last'.name] \in {Nothing, Is(world, last'.name)})]_<<world, last>>

SHARE_2 == [][Op("destroy pool") =>
  \A n \in Names \ {last'.name}, p \in Places : After(n, p) = Before(n, p)]_<<world, last>>

ARG_1 == [][last'.op \in {"malformed", "malformed new pool", "malformed reclaim"} => world' = world]_<<world, last>>
=============================================================================
