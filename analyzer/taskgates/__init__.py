"""taskgates: which files does every task really touch, and which tasks may run in parallel?"""
