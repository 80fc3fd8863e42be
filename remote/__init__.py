"""Reaching a host and acting on it: agent, supervisor, links and the meaning of each action."""
