from tmem.impl.store import Store as Store
