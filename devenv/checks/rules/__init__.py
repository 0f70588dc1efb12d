"""One module per family of rules that share a scan. Declaring a rule in one is all it takes."""
