"""Figures: a forecast in, matplotlib axes out; no setting of matplotlib is changed.

Each function draws into the axes it is given, or into a new figure, and can be used alone. Colours
and line styles can be told apart in print and by colour-blind readers.
"""

from placeforecast.plot.accuracies import accuracy
from placeforecast.plot.balances import balance
from placeforecast.plot.bands import class_sizes
from placeforecast.plot.cohorts import lag_ladder
from placeforecast.plot.fans import fan
from placeforecast.plot.heat import heat_map
from placeforecast.plot.maps import district_map
from placeforecast.plot.pyramids import pyramid
from placeforecast.plot.scenarios import scenarios
from placeforecast.plot.timelines import timeline
from placeforecast.plot.tornados import tornado
from placeforecast.plot.waterfalls import waterfall
from placeforecast.plot.waves import wave

__all__ = [
    "accuracy",
    "balance",
    "class_sizes",
    "district_map",
    "fan",
    "heat_map",
    "lag_ladder",
    "pyramid",
    "scenarios",
    "timeline",
    "tornado",
    "waterfall",
    "wave",
]
