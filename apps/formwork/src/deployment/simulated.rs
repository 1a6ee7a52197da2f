//! A simulated account behind the engine's own client.
//!
//! The engine does not know that it is a rehearsal: it sends the requests that AWS would get, and the simulator answers
//! them as AWS would, at the time that the rehearsal's clock shows.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use formwork_assembly::CloudAssembly;
use formwork_engine::Clock;
use formwork_engine::aws::{InProcess, Transport};
use formwork_simulator::faults::BucketSetting;
use formwork_simulator::{Reply, Simulator};
use futures_util::future::BoxFuture;

use crate::failure::Failure;

/// The version of the CDK's bootstrap stack that the simulated account has: the newest whose template was looked at.
const CDK_BOOTSTRAP_VERSION: &str = "33";

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

/// The bucket for assets of the simulated account.
const BUCKET: &str = "formwork-rehearsal-assets";

/// Bootstraps the simulated account for an assembly: the buckets and the parameters that its assets name.
///
/// # Errors
/// When the assembly cannot be read.
pub(crate) fn bootstrap(
    simulator: &mut Simulator,
    assembly: &CloudAssembly,
    account: &str,
    region: &str,
) -> Result<(), Failure> {
    let services = simulator.services_mut();
    services.storage.set(BUCKET, &BucketSetting::Exists);
    let filled = |text: &str| {
        text.replace("${AWS::AccountId}", account)
            .replace("${AWS::Region}", region)
            .replace("${AWS::Partition}", "aws")
    };
    for stack in assembly.stacks()? {
        let region =
            stack.environment.rsplit('/').next().filter(|name| *name != "unknown-region").unwrap_or(region);
        let template = assembly.template(&stack)?;
        let parameters =
            template["Parameters"].as_object().into_iter().flat_map(|parameters| parameters.values());
        for name in parameters.filter_map(|parameter| parameter["Default"].as_str()) {
            if name.starts_with("/formwork/bootstrap/") && name.ends_with("/bucket") {
                services.parameters.put(account, region, name, BUCKET);
            }
            if name.starts_with("/cdk-bootstrap/") && name.ends_with("/version") {
                services.parameters.put(account, region, name, CDK_BOOTSTRAP_VERSION);
            }
        }
        for manifest in formwork_engine::assets::of_stack(assembly, &stack)? {
            for destination in manifest.files.values().flat_map(|file| file.destinations.values()) {
                let bucket = filled(&destination.bucket_name);
                if !bucket.starts_with("{{resolve:ssm:") {
                    services.storage.set(&bucket, &BucketSetting::Exists);
                }
            }
        }
    }
    Ok(())
}
