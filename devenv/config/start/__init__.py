"""What `devenv init` proposes: from a survey of a repository to files, pure."""
