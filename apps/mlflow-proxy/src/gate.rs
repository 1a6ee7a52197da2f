//! The way of a request through the proxy, in one place: each check in its order, then the one who answers.
