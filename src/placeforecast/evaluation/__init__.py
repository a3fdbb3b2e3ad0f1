"""How accurate the chain has been: back-tests, their measures, and the choice of models."""
