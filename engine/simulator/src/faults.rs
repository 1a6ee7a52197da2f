//! What goes wrong on purpose: a script of faults by operation, count and time.
