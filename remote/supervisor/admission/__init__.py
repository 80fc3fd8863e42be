"""How a supervisor comes to be: the queue, a start carried out, a lost run reconciled."""
