"""What Strata knows about customer success: pure values and functions, without I/O, clock or framework."""
