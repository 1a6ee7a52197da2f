"""The custom resource `Custom::MetaflowSchema`: the tables of Metaflow's metadata service, as new as its image.

The image brings the migrations and a small server that applies them, on a port of its own that nobody else reaches.
"""
