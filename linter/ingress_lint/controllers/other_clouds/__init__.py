"""Clouds whose load balancers for Services differ in no more than the words of one table."""
