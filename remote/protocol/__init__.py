"""What both ends of a link know: messages, framing, verbs, views and errors."""
