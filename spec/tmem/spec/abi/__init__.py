"""The ABI: flag bits, errnos, command numbers and byte layouts, as Xen has them [X]."""
