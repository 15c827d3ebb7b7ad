"""From a checkout to findings: the pipeline, the project that rules look at, and the registry of rules."""
