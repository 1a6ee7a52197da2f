//! Generated typed resources of the services that the construct library uses.
