"""Where the roots of the audit are kept outside: an address the operator names."""
