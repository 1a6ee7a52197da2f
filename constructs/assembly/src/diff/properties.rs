//! Properties of the difference over random templates.
