"""The units stage: paths to what is deployed together, and what of it could not be looked at."""
