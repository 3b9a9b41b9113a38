"""`tmem serve`: a store for other processes, by the frames of `tmem.spec.abi.wire`.

`sessions` keeps peers apart and performs what they ask, `conversation` reads the requests of one connection,
`listen` has the sockets, `metrics` the counters.
May import `targets` and what lies below it.
"""
