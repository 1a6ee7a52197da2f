//! The web application firewall in front of a load balancer.
//!
//! Bodies are those of machines and may be large, so the rules that judge bodies by size or by what looks like code in them
//! only count; addresses of ill repute and floods are blocked.

use formwork::{Json, LoadBalancerArn, Scope, Value};
use formwork_resources::wafv2::{
    AllowAction, BlockAction, CfnWebAcl, CfnWebAclAssociation, CountAction, DefaultAction,
    ManagedRuleGroupStatement, OverrideAction, RateBasedStatement, RateBasedStatementAggregateKeyType, Rule,
    RuleAction, RuleActionOverride, Scope as FirewallScope, Statement, VisibilityConfig,
};

/// The requests of one address in five minutes, above which it is blocked for a while. A training run that logs ten
/// metrics a second stays below.
const REQUESTS_IN_FIVE_MINUTES: i64 = 10_000;

/// The rules of the common rule set that judge a request's body.
const BODY_RULES: [&str; 4] =
    ["SizeRestrictions_BODY", "CrossSiteScripting_BODY", "GenericLFI_BODY", "GenericRFI_BODY"];

/// Adds a firewall and puts it in front of a load balancer. Its metric is named after what stands behind.
pub(super) fn define(scope: Scope<'_>, name: &str, balancer: &Value<LoadBalancerArn>) {
    let flood = RateBasedStatement::new(REQUESTS_IN_FIVE_MINUTES, RateBasedStatementAggregateKeyType::IP);
    let rules = vec![
        Rule::new("Flood", 0, Statement::new().rate_based_statement(flood), visibility("Flood"))
            .action(RuleAction::new().block(BlockAction::new())),
        managed("AddressesOfIllRepute", 1, "AWSManagedRulesAmazonIpReputationList", &[]),
        managed("KnownBadInputs", 2, "AWSManagedRulesKnownBadInputsRuleSet", &[]),
        managed("CommonRules", 3, "AWSManagedRulesCommonRuleSet", &BODY_RULES),
    ];
    let acl = CfnWebAcl::new(
        DefaultAction::new().allow(AllowAction::new()),
        FirewallScope::REGIONAL,
        visibility(&metric_name(name)),
    )
    .rules(rules)
    .define(scope, "Firewall");
    CfnWebAclAssociation::new(balancer, acl.arn()).define(scope, "FirewallAssociation");
}

fn managed(name: &str, priority: i64, group: &str, only_count: &[&str]) -> Rule {
    let mut rules = ManagedRuleGroupStatement::new("AWS", group);
    if !only_count.is_empty() {
        let overrides: Vec<RuleActionOverride> = only_count
            .iter()
            .map(|rule| RuleActionOverride::new(*rule, RuleAction::new().count(CountAction::new())))
            .collect();
        rules = rules.rule_action_overrides(overrides);
    }
    Rule::new(name, priority, Statement::new().managed_rule_group_statement(rules), visibility(name))
        .override_action(OverrideAction::new().none(Json::Object(serde_json::Map::new())))
}

fn visibility(name: &str) -> VisibilityConfig {
    VisibilityConfig::new(true, true, name)
}

/// `the MLflow proxy` becomes `MlflowProxy`: a metric's name has letters and digits only.
fn metric_name(name: &str) -> String {
    let words = name.split_whitespace().filter(|word| *word != "the");
    words
        .flat_map(|word| {
            let mut letters = word.chars().filter(char::is_ascii_alphanumeric);
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters.map(|letter| letter.to_ascii_lowercase()).collect::<Vec<_>>())
        })
        .collect()
}
