"""Figures: a forecast in, matplotlib axes out; no setting of matplotlib is changed.

Each function draws into the axes it is given, or into a new figure, and can be used alone. Colours
and line styles can be told apart in print and by colour-blind readers.
"""

from placeforecast.plot.balances import balance
from placeforecast.plot.fans import fan
from placeforecast.plot.heat import heat_map
from placeforecast.plot.waves import wave

__all__ = ["balance", "fan", "heat_map", "wave"]
