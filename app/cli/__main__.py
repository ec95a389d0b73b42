"""`python -m app.cli` is `strata`."""

from app.cli import main

main()
