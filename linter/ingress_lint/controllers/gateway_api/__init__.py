"""The Gateway API, as its specification has it: gateways and their listeners, routes that attach to them, policies.

`analysis` works one object graph out; `controller` hands its routes to the linter.
"""
