"""Test frameworks: finding tests, running them, and what they put in the place of things."""
