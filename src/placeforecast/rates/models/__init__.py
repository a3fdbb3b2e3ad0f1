"""Rate models: small dataclasses that turn a history of ratios into ratios of the coming years."""

from placeforecast.rates.models.covariate import Covariate
from placeforecast.rates.models.grey import GreyModel
from placeforecast.rates.models.history import History, RateModel
from placeforecast.rates.models.pooled import Pooled
from placeforecast.rates.models.rules import Exponential, VolumeWeighted, Weighted
from placeforecast.rates.models.smoothing import DampedTrend, LocalLevel

__all__ = [
    "Covariate",
    "DampedTrend",
    "Exponential",
    "GreyModel",
    "History",
    "LocalLevel",
    "Pooled",
    "RateModel",
    "VolumeWeighted",
    "Weighted",
]
