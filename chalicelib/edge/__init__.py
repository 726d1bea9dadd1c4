"""What an entrance needs: web endpoints, identity, observation, and the doors of reacting functions."""
