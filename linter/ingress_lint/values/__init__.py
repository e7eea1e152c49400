"""What people write as a number, port, time, size, address, host name or regular expression: read in one place each.

Every reader takes any text and gives a value, or None for what it does not know; none of them raises.
"""
