"""What proves who somebody is and what they may do: certificates, keys, tokens and grants."""
