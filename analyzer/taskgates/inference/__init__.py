"""The abstract interpreter: the compact representation in, access sets out."""
