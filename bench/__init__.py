"""How near Strata comes to its limits: `python -m bench`."""
