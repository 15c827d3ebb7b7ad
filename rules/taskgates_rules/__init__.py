"""The policy: one module a rule family, and the effect models as data."""
