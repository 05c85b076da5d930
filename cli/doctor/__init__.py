"""`connext doctor`: the usual reasons why an installation does not work, and how to mend each."""
