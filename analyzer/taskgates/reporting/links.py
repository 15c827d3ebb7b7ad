"""Where the documentation stands on the web."""

DOCUMENTATION = "https://taskgates.github.io/taskgates/"


def rule_page(rule_id: str) -> str:
    """The address of a rule's page."""
    return f"{DOCUMENTATION}rules/{rule_id}/"
