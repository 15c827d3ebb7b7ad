"""Reports about groups of tasks: may they run in parallel, and in which batches?"""
