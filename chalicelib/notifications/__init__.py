"""Letters: which fact is told to whom, in which words, once per recipient and fact."""
