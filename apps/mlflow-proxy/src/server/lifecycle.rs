//! In which part of its life the server is.

use std::sync::Arc;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::watch;

use crate::operate::Operate;
use crate::operate::metrics::{Metrics, UnderWay};

/// The parts of a server's life, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// It serves.
    Serving,
    /// It still accepts, but tells everybody to go.
    Leaving,
    /// It accepts nothing more and ends what is under way.
    Draining,
}

/// The server's life: told to its connections, to readiness and to metrics.
#[derive(Debug)]
pub(super) struct Lifecycle {
    phase: watch::Sender<Phase>,
    operate: Arc<Operate>,
}

impl Lifecycle {
    pub(super) fn new(operate: Arc<Operate>) -> Self {
        let (phase, _) = watch::channel(Phase::Serving);
        Self { phase, operate }
    }

    pub(super) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Readiness is gone from [`Phase::Leaving`] on.
    pub(super) fn enter(&self, phase: Phase) {
        self.operate.readiness.drain();
        self.phase.send_replace(phase);
    }

    pub(super) fn follow(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    pub(super) fn metrics(&self) -> Arc<Metrics> {
        self.operate.metrics.clone()
    }

    /// Counts a connection that found no place.
    pub(super) fn refused(&self) {
        self.operate.metrics.connections_refused.inc();
    }

    /// Counts a connection for as long as the value lives.
    pub(super) fn connection(&self) -> Connected {
        let connections = self.operate.metrics.connections.clone();
        connections.inc();
        Connected { connections }
    }

    /// Counts a request for as long as the value lives: from its head until the last byte of its answer.
    pub(super) fn request(&self) -> UnderWay {
        self.operate.metrics.begin()
    }

    /// Connections and requests at this moment.
    pub(super) fn load(&self) -> (i64, i64) {
        (self.operate.metrics.connections.get(), self.operate.metrics.in_flight.get())
    }
}

/// A connection that counts as open until this is dropped.
pub(super) struct Connected {
    connections: Gauge,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.connections.dec();
    }
}
