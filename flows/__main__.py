"""``python -m flows`` is the command line ``praevkarte``."""

from flows.cli import main

main()
