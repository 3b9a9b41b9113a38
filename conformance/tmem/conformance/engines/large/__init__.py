"""The engine for stores that live long and fill up: phases over many slots, judged in little memory."""
