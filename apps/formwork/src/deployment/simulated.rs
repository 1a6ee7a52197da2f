//! A simulated account behind the engine's own client.
//!
//! The engine does not know that it is a rehearsal: it sends the requests that AWS would get, and the simulator answers
//! them as AWS would, at the time that the rehearsal's clock shows.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use formwork_engine::Clock;
use formwork_engine::aws::{InProcess, Transport};
use formwork_simulator::{Reply, Simulator};
use futures_util::future::BoxFuture;

/// Longer than any time limit of a client.
const FOR_EVER: Duration = Duration::from_secs(86_400);

/// The transport to a simulator at the time of a clock.
pub(crate) fn transport(simulator: Simulator, clock: Clock) -> Transport {
    Transport::InProcess(Arc::new(Simulated { simulator: Mutex::new(simulator), clock }))
}

struct Simulated {
    simulator: Mutex<Simulator>,
    clock: Clock,
}

impl fmt::Debug for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Simulated")
    }
}

impl InProcess for Simulated {
    fn call(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'static, Result<http::Response<Bytes>, String>> {
        let clock = self.clock;
        let mut simulator = self.simulator.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = simulator.respond(clock.now(), &request);
        Box::pin(async move {
            match reply {
                Reply::Answer { response, after } => {
                    clock.sleep(after).await;
                    Ok(response)
                }
                Reply::Broken { after } => {
                    clock.sleep(after).await;
                    Err("the connection was closed".to_owned())
                }
                Reply::Silent => {
                    clock.sleep(FOR_EVER).await;
                    Err("nothing came".to_owned())
                }
            }
        })
    }
}
