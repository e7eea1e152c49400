"""Redirects that several controllers answer with by themselves."""
