//! More tasks under load, fewer without.

use formwork::{Scope, Value, text};
use formwork_resources::applicationautoscaling::{
    CfnScalableTarget, CfnScalingPolicy, PredefinedMetricSpecification,
    PredefinedMetricSpecificationPredefinedMetricType as Metric, ScalableTargetScalableDimension,
    ScalableTargetServiceNamespace, ScalingPolicyType, TargetTrackingScalingPolicyConfiguration,
};

/// The load of the processors in percent that is aimed at: there is room for what comes until a new task runs.
const TARGET_PERCENT: f64 = 70.0;

#[track_caller]
pub(super) fn define(
    scope: Scope<'_>,
    cluster: &Value<String>,
    service: &Value<String>,
    least: u32,
    greatest: u32,
) {
    let target = CfnScalableTarget::new()
        .service_namespace(ScalableTargetServiceNamespace::ECS)
        .scalable_dimension(ScalableTargetScalableDimension::ECS_SERVICE_DESIRED_COUNT)
        .resource_id(text!("service/{}/{}", cluster, service))
        .min_capacity(i64::from(least))
        .max_capacity(i64::from(greatest))
        .define(scope, "Scaling");
    let load = PredefinedMetricSpecification::new(Metric::ECS_SERVICE_AVERAGE_CPU_UTILIZATION);
    let tracking = TargetTrackingScalingPolicyConfiguration::new(TARGET_PERCENT)
        .predefined_metric_specification(load)
        .scale_out_cooldown(60)
        .scale_in_cooldown(300);
    CfnScalingPolicy::new("processors", ScalingPolicyType::TARGET_TRACKING_SCALING)
        .scaling_target_id(target.reference())
        .target_tracking_scaling_policy_configuration(tracking)
        .define(scope, "ScalingPolicy");
}
