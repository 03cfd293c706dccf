"""What tools and this package itself test with: simulated platforms over real sockets."""
