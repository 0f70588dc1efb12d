"""The Docker engine and the Docker and Compose commands: everything that talks to them.

What the answers mean is decided in the layers below; this package fetches and carries out.
"""
