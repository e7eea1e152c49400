"""Paths to documents: finds the files, splits the streams, reads the values and keeps the text."""
