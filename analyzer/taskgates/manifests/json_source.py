"""JSON with places, for readers; the parser itself lives with the tree, since the configuration needs it too."""

from taskgates.tree.json_source import JsonMember, JsonNode, parse_json, type_name
from taskgates.tree.text_source import TextSource, TextSyntaxError

__all__ = ["JsonMember", "JsonNode", "TextSource", "TextSyntaxError", "parse_json", "type_name"]
