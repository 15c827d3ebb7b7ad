"""Built-in types, and the library functions that compute values from values."""
