"""The running system: its environment, modules and programs, and what runs beside the program."""
