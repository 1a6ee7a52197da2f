//! What requests are sent to: target groups, the listeners, and rules for paths and for people who have to sign in.

use formwork::{IntoValue, ResourceId, Scope, TargetGroupArn, Value};
use formwork_resources::elasticloadbalancingv2::{
    ActionType, Certificate, CfnListener, CfnListenerRule, CfnTargetGroup, FixedResponseConfig,
    HttpHeaderConfig, ListenerAction, ListenerProtocol, ListenerRuleAction, Matcher, PathPatternConfig,
    RedirectConfig, RedirectConfigStatusCode, RuleCondition, TargetDescription, TargetGroupAttribute,
    TargetGroupHealthCheckProtocol, TargetGroupProtocol, TargetGroupTargetType,
};

use super::{LoadBalancer, SignIn};

/// TLS 1.2 and 1.3 with forward secrecy. Source: "Security policies for your Application Load Balancer".
const TLS_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06";
/// The priority of the rule for all requests: every other rule comes before it.
const LAST: u16 = 50_000;
/// The priority of the rule for requests with a token, which comes before the one for all.
const TOKENS: u16 = 45_000;
/// The priority of the rule for the paths on which people sign in.
const SIGN_IN: u16 = 40_000;

/// What is behind a load balancer.
#[derive(Clone, Debug)]
pub enum TargetKind {
    /// Instances: those that are known now, or none when a group adds them by itself.
    Instances(Vec<TargetDescription>),
    /// Addresses, which a service of containers adds by itself.
    Addresses,
}

/// On which paths people have to sign in, when the load balancer has a sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SignInOn {
    /// On every path.
    #[default]
    Everything,
    /// On these only, at most five. Whatever else is asked for, the service itself decides who may have it.
    Paths(Vec<&'static str>),
}

/// What requests are sent to, and how it is seen to be well.
#[derive(Clone, Debug)]
pub struct Targets {
    /// The port that it listens on, in plain HTTP.
    pub port: u16,
    /// What it is.
    pub kind: TargetKind,
    /// The path that answers 200 to everybody when it is well.
    pub health_path: &'static str,
    /// How long a target that leaves may finish its requests, in seconds.
    pub drain_seconds: u32,
    /// On which paths people have to sign in.
    pub sign_in: SignInOn,
}

/// The way from the load balancer to targets.
#[derive(Clone, Debug)]
pub struct Forwarding {
    /// The target group.
    pub target_group: Value<TargetGroupArn>,
    /// The target group in the form of CloudWatch's metrics.
    pub full_name: Value<String>,
    /// What forwards to it. Targets count as healthy, and a service of containers can be made, only once it is there.
    pub listener: ResourceId,
    listener_arn: Value<String>,
}

impl LoadBalancer {
    /// Adds the listeners and sends requests to targets.
    #[track_caller]
    pub fn forward(&self, scope: Scope<'_>, targets: Targets) -> Forwarding {
        let sign_in = targets.sign_in.clone();
        let (target_group, full_name) = self.target_group(scope, targets);
        let everything = self.sign_in.is_some() && sign_in == SignInOn::Everything;
        let default = if everything {
            // Rules forward, and one of them has every path. Who comes past them finds nothing.
            let nothing = FixedResponseConfig::new("403").content_type("text/plain");
            ListenerAction::new(ActionType::FIXED_RESPONSE).fixed_response_config(nothing)
        } else {
            ListenerAction::new(ActionType::FORWARD).target_group_arn(&target_group)
        };
        let (listener_arn, listener) = self.listener(scope, default);
        let mut forwarding = Forwarding { target_group, full_name, listener, listener_arn };
        let signed_in = match sign_in {
            SignInOn::Everything => (vec!["/*"], LAST),
            SignInOn::Paths(paths) => (paths, SIGN_IN),
        };
        if self.sign_in.is_some() {
            let rule = self.rule(scope, "SignIn", &forwarding, &signed_in.0, signed_in.1, true);
            if everything {
                self.take_tokens(scope, &forwarding);
                forwarding.listener = rule;
            }
        }
        forwarding
    }

    /// Sends requests of some paths to targets of their own, in a scope of the given id. Of two rules that fit a request
    /// the one with the lesser priority is taken: numbers from 1 to 39999. Sign-in is on all of these paths or on none.
    #[track_caller]
    pub fn forward_path(
        &self,
        scope: Scope<'_>,
        id: &str,
        main: &Forwarding,
        patterns: &[&'static str],
        priority: u16,
        targets: Targets,
    ) -> Forwarding {
        let scope = scope.child(id);
        let sign_in = targets.sign_in == SignInOn::Everything;
        let (target_group, full_name) = self.target_group(scope, targets);
        let mut forwarding = Forwarding { target_group, full_name, ..main.clone() };
        forwarding.listener = self.rule(scope, "Rule", &forwarding, patterns, priority, sign_in);
        forwarding
    }

    /// Who shows a token is not sent to a page: the token is checked in its place.
    fn take_tokens(&self, scope: Scope<'_>, forwarding: &Forwarding) {
        let Some(check) = self.sign_in.as_ref().and_then(SignIn::token_action) else { return };
        let forward =
            ListenerRuleAction::new(ActionType::FORWARD).target_group_arn(&forwarding.target_group).order(2);
        let header = HttpHeaderConfig::new().http_header_name("Authorization").values(["Bearer *"]);
        let condition = RuleCondition::new().field("http-header").http_header_config(header);
        CfnListenerRule::new([check.order(1), forward], i64::from(TOKENS), [condition])
            .listener_arn(&forwarding.listener_arn)
            .define(scope, "BearerTokens");
    }

    fn rule(
        &self,
        scope: Scope<'_>,
        id: &str,
        forwarding: &Forwarding,
        patterns: &[&'static str],
        priority: u16,
        sign_in: bool,
    ) -> ResourceId {
        let mut actions = Vec::new();
        if let Some(sign_in) = self.sign_in.as_ref().filter(|_| sign_in) {
            actions.push(sign_in.action().order(1));
        }
        let order = i64::try_from(actions.len()).unwrap_or_default() + 1;
        actions.push(
            ListenerRuleAction::new(ActionType::FORWARD)
                .target_group_arn(&forwarding.target_group)
                .order(order),
        );
        let paths = PathPatternConfig::new().values(patterns);
        let condition = RuleCondition::new().field("path-pattern").path_pattern_config(paths);
        CfnListenerRule::new(actions, i64::from(priority), [condition])
            .listener_arn(&forwarding.listener_arn)
            .define(scope, id)
            .resource()
    }

    /// The listener that requests come to, and beside HTTPS one that sends plain HTTP there.
    fn listener(&self, scope: Scope<'_>, default: ListenerAction) -> (Value<String>, ResourceId) {
        let Some(certificate) = &self.certificate else {
            let http = CfnListener::new(&self.arn, [default])
                .port(80)
                .protocol(ListenerProtocol::HTTP)
                .define(scope, "Http");
            return (http.listener_arn().into_value(), http.resource());
        };
        let to_https = RedirectConfig::new(RedirectConfigStatusCode::HTTP_301).protocol("HTTPS").port("443");
        let redirect = ListenerAction::new(ActionType::REDIRECT).redirect_config(to_https);
        CfnListener::new(&self.arn, [redirect])
            .port(80)
            .protocol(ListenerProtocol::HTTP)
            .define(scope, "RedirectToHttps");
        let https = CfnListener::new(&self.arn, [default])
            .port(443)
            .protocol(ListenerProtocol::HTTPS)
            .ssl_policy(TLS_POLICY)
            .certificates([Certificate::new().certificate_arn(certificate)])
            .define(scope, "Https");
        (https.listener_arn().into_value(), https.resource())
    }

    fn target_group(&self, scope: Scope<'_>, targets: Targets) -> (Value<TargetGroupArn>, Value<String>) {
        let drain = TargetGroupAttribute::new()
            .key("deregistration_delay.timeout_seconds")
            .value(targets.drain_seconds.to_string());
        let mut group = CfnTargetGroup::new();
        let target_type = match targets.kind {
            TargetKind::Addresses => TargetGroupTargetType::IP,
            TargetKind::Instances(instances) => {
                if !instances.is_empty() {
                    group = group.targets(instances);
                }
                TargetGroupTargetType::INSTANCE
            }
        };
        let group = group
            .vpc_id(&self.vpc_id)
            .target_type(target_type)
            .protocol(TargetGroupProtocol::HTTP)
            .port(i64::from(targets.port))
            .health_check_protocol(TargetGroupHealthCheckProtocol::HTTP)
            .health_check_path(targets.health_path)
            .health_check_interval_seconds(10)
            .health_check_timeout_seconds(5)
            .healthy_threshold_count(2)
            .unhealthy_threshold_count(3)
            .matcher(Matcher::new().http_code("200"))
            .target_group_attributes([drain])
            .define(scope, "Targets");
        (group.target_group_arn(), group.target_group_full_name())
    }
}
