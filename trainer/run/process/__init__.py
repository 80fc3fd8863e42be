"""Who a process is, whether it lives, and how exactly it is signalled."""
