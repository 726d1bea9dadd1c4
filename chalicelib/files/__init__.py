"""Files: workbooks and CSV in and out as lists of columns, drops, receipts and the long work behind them."""
