"""`python -m goldspan.cli`."""

from goldspan.cli.app import main

main()
