"""Run the command line as ``python -m placeforecast``."""

from placeforecast.cli import main

main()
