"""Tools that a model may call: built-in ones, MCP servers, and the approvals they need.

Nothing here yet; no tool is offered to a model.
"""
