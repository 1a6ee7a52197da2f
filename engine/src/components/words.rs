//! What the services' words mean for health. Words that are not listed are unknown, never healthy.
//!
//! Source: the enumerations of the services' API models (botocore 1.44.5): `DomainStatus`, `TrackingServerStatus`,
//! `MlflowAppStatus`, `NatGatewayState`, `State` of VPC endpoints, `TargetHealthStateEnum`, `LoadBalancerStateEnum`,
//! `InstanceStateName`.

use super::Health::{self, Changing, Healthy, Unhealthy, Unknown};
use crate::aws::cloudformation::StackStatus;

/// Of a domain of SageMaker Studio.
pub(crate) fn domain(word: &str) -> Health {
    match word {
        "InService" => Healthy,
        "Pending" | "Updating" | "Deleting" => Changing,
        "Failed" | "Update_Failed" | "Delete_Failed" => Unhealthy,
        _ => Unknown,
    }
}

/// Of a tracking server or an MLflow app.
pub(crate) fn mlflow(word: &str) -> Health {
    match word {
        "Created" | "Updated" | "Started" | "MaintenanceComplete" => Healthy,
        "Creating" | "Updating" | "Deleting" | "Starting" | "Stopping" | "MaintenanceInProgress" => Changing,
        "Stopped" | "Deleted" => Unhealthy,
        _ if word.ends_with("Failed") => Unhealthy,
        _ => Unknown,
    }
}

/// Of a VPC, a NAT gateway or an endpoint. EC2 writes endpoints' words small, its model has them with capitals.
pub(crate) fn network(word: &str) -> Health {
    match word.to_ascii_lowercase().as_str() {
        "available" => Healthy,
        "pending" | "deleting" => Changing,
        "pendingacceptance" | "rejected" | "failed" | "expired" | "deleted" | "partial" => Unhealthy,
        _ => Unknown,
    }
}

/// Of a load balancer.
pub(crate) fn balancer(word: &str) -> Health {
    match word {
        "active" => Healthy,
        "provisioning" => Changing,
        "active_impaired" | "failed" => Unhealthy,
        _ => Unknown,
    }
}

/// Of a target.
pub(crate) fn target(word: &str) -> Health {
    match word {
        "healthy" => Healthy,
        "initial" | "draining" => Changing,
        "unhealthy" | "unhealthy.draining" | "unused" | "unavailable" => Unhealthy,
        _ => Unknown,
    }
}

/// Of an instance.
pub(crate) fn instance(word: &str) -> Health {
    match word {
        "running" => Healthy,
        "pending" => Changing,
        "shutting-down" | "terminated" | "stopping" | "stopped" => Unhealthy,
        _ => Unknown,
    }
}

/// Of a stack. One that was rolled back works as it did before, but is not what its template says.
pub(crate) fn stack(status: &StackStatus) -> Health {
    match status {
        StackStatus::CreateComplete
        | StackStatus::UpdateComplete
        | StackStatus::ImportComplete
        | StackStatus::UpdateRollbackComplete
        | StackStatus::ImportRollbackComplete => Healthy,
        StackStatus::ReviewInProgress => Health::Absent,
        _ if status.is_in_progress() => Changing,
        StackStatus::Other(_) => Unknown,
        _ => Unhealthy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_was_learnt_since_is_unknown() {
        let readers: [fn(&str) -> Health; 6] = [domain, mlflow, network, balancer, target, instance];
        for reader in readers {
            assert_eq!(reader("Splendid"), Unknown);
        }
        assert_eq!(stack(&StackStatus::from("SPLENDID")), Unknown);
    }

    #[test]
    fn every_status_of_a_stack_means_something() {
        for status in StackStatus::ALL {
            assert_ne!(stack(status), Unknown, "{status}");
        }
        assert_eq!(stack(&StackStatus::RollbackComplete), Unhealthy);
        assert_eq!(stack(&StackStatus::UpdateInProgress), Changing);
        assert_eq!(stack(&StackStatus::ReviewInProgress), Health::Absent);
    }

    #[test]
    fn failures_are_unhealthy_whichever_operation_failed() {
        for word in ["CreateFailed", "UpdateFailed", "StopFailed", "MaintenanceFailed"] {
            assert_eq!(mlflow(word), Unhealthy, "{word}");
        }
        assert_eq!(network("Available"), Healthy);
        assert_eq!(network("pendingAcceptance"), Unhealthy);
    }
}
