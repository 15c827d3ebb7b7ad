"""What shell text and command lines do to files: an abstract interpreter of POSIX shell and bash.

Nothing is ever executed. Words are `taskgates.inference.text` values, known wholly or in part; effects go to a `Host`.
"""
