"""The messaging services that lambdash owns, for whoever sends to them or reads from them."""
