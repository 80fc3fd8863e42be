"""How runs come to be on a host, with a client or without one."""
