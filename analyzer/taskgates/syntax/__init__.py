"""Sources in, a compact representation out.

LibCST parses each file once; one hand-written walk lowers the tree to the structs of `ir`; positions are found
afterwards, and only for the places that end up in a report.
"""
