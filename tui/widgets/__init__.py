"""Our own widgets: the chart, the log and the lamps, written for a week of rows."""
