"""Rate models: small dataclasses that turn a history of ratios into ratios of the coming years."""

from placeforecast.rates.models.history import History, RateModel
from placeforecast.rates.models.rules import VolumeWeighted, Weighted

__all__ = ["History", "RateModel", "VolumeWeighted", "Weighted"]
