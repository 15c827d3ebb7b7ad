"""Accuracy of inference: traced programs, what they really touch, and how much of it the analyser sees."""
