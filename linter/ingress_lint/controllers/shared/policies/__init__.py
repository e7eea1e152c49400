"""Policies that hang on other objects: what they are for, and what they set."""
