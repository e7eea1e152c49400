"""The units stage."""
