//! The members that `CreationPolicy` and `UpdatePolicy` have, by type.
//!
//! Sources: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-creationpolicy.html> and
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatepolicy.html>.

use std::fmt;

/// What the value of a member is.
pub(super) enum Member {
    Text,
    Boolean,
    Number,
    OneOf(&'static [&'static str]),
    Texts,
    Numbers,
    Object(&'static [(&'static str, Member)]),
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("a text"),
            Self::Boolean => f.write_str("`true` or `false`"),
            Self::Number => f.write_str("a whole number"),
            Self::OneOf(values) => f.write_str(&super::listing(values.iter().copied())),
            Self::Texts => f.write_str("a list of texts"),
            Self::Numbers => f.write_str("a list of numbers"),
            Self::Object(_) => f.write_str("an object"),
        }
    }
}

type Members = &'static [(&'static str, Member)];

/// The members of a type's `CreationPolicy`; `None` where it takes none.
pub(super) fn creation_policy(type_name: &str) -> Option<Members> {
    const SIGNAL: Member = Member::Object(&[("Count", Member::Number), ("Timeout", Member::Text)]);
    match type_name {
        "AWS::AutoScaling::AutoScalingGroup" => Some(
            const {
                &[
                    (
                        "AutoScalingCreationPolicy",
                        Member::Object(&[("MinSuccessfulInstancesPercent", Member::Number)]),
                    ),
                    ("ResourceSignal", SIGNAL),
                ]
            },
        ),
        "AWS::CloudFormation::WaitCondition" | "AWS::EC2::Instance" => {
            Some(const { &[("ResourceSignal", SIGNAL)] })
        }
        "AWS::AppStream::Fleet" => Some(const { &[("StartFleet", Member::Boolean)] }),
        _ => None,
    }
}

/// The members of a type's `UpdatePolicy`; `None` where it takes none.
pub(super) fn update_policy(type_name: &str) -> Option<Members> {
    match type_name {
        "AWS::AutoScaling::AutoScalingGroup" => Some(GROUP),
        "AWS::Lambda::Alias" => Some(const { &[("CodeDeployLambdaAliasUpdate", Member::Object(ALIAS))] }),
        "AWS::ElastiCache::ReplicationGroup" => Some(const { &[("UseOnlineResharding", Member::Boolean)] }),
        "AWS::Elasticsearch::Domain" | "AWS::OpenSearchService::Domain" => {
            Some(const { &[("EnableVersionUpgrade", Member::Boolean)] })
        }
        "AWS::AppStream::Fleet" => Some(
            const {
                &[
                    ("StartAfterUpdate", Member::Object(&[("Type", Member::Boolean)])),
                    ("StopBeforeUpdate", Member::Object(&[("Type", Member::Boolean)])),
                ]
            },
        ),
        _ => None,
    }
}

const ALIAS: Members = &[
    ("AfterAllowTrafficHook", Member::Text),
    ("ApplicationName", Member::Text),
    ("BeforeAllowTrafficHook", Member::Text),
    ("DeploymentGroupName", Member::Text),
];

const GROUP: Members = &[
    (
        "AutoScalingInstanceRefresh",
        Member::Object(&[
            ("Strategy", Member::OneOf(&["ReplaceRootVolume", "Rolling"])),
            ("Preferences", Member::Object(REFRESH)),
        ]),
    ),
    ("AutoScalingReplacingUpdate", Member::Object(&[("WillReplace", Member::Boolean)])),
    ("AutoScalingRollingUpdate", Member::Object(ROLLING)),
    (
        "AutoScalingScheduledAction",
        Member::Object(&[("IgnoreUnmodifiedGroupSizeProperties", Member::Boolean)]),
    ),
];

const ROLLING: Members = &[
    ("MaxBatchSize", Member::Number),
    ("MinActiveInstancesPercent", Member::Number),
    ("MinInstancesInService", Member::Number),
    ("MinSuccessfulInstancesPercent", Member::Number),
    ("PauseTime", Member::Text),
    ("SuspendProcesses", Member::Texts),
    ("WaitOnResourceSignals", Member::Boolean),
];

const REFRESH: Members = &[
    ("AlarmSpecification", Member::Object(&[("Alarms", Member::Texts)])),
    ("BakeTime", Member::Number),
    ("CheckpointDelay", Member::Number),
    ("CheckpointPercentages", Member::Numbers),
    ("InstanceWarmup", Member::Number),
    ("MaxHealthyPercentage", Member::Number),
    ("MinHealthyPercentage", Member::Number),
    ("ScaleInProtectedInstances", Member::OneOf(&["Ignore", "Refresh", "Wait"])),
    ("SkipMatching", Member::Boolean),
    ("StandbyInstances", Member::OneOf(&["Ignore", "Terminate", "Wait"])),
];
