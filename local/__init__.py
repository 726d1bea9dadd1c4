"""The whole market on one machine: an embedded AWS, the queue worker, the web server and a demonstration market."""
