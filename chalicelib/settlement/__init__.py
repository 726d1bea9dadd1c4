"""Settlement: baselines, performance, payment, runs, reports, disputes and invoices."""
