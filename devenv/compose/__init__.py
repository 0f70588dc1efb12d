"""The project as Compose merges it: model, dependency graph, plans. No I/O."""
