use super::*;
use crate::settings::testing::read_and_tell;

const SERVER: &str = "arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/demo";
const APP: &str = "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-app/app-ABCDEF";
const GOV: &str = "arn:aws-us-gov:sagemaker:us-gov-west-1:111122223333:mlflow-app/app-1";

fn read_with(values: &[(&str, &str)]) -> (Option<Target>, Vec<String>) {
    read_and_tell(values, read)
}

#[test]
fn all_follows_from_the_arn() {
    let rows = [
        (SERVER, "https://us-east-1.experiments.sagemaker.aws/", "sagemaker-mlflow", TRACKING_SERVER_HEADER),
        (APP, "https://mlflow.sagemaker.eu-west-1.app.aws/", "sagemaker", APP_HEADER),
        (GOV, "https://mlflow.sagemaker.us-gov-west-1.app.aws/", "sagemaker", APP_HEADER),
    ];
    for (arn, endpoint, service, header) in rows {
        let target = Target::from_arn(arn, None).unwrap();
        assert_eq!(target.endpoint, endpoint);
        assert_eq!((target.service, target.header.as_str()), (service, header));
        assert_eq!(target.account, "111122223333");
    }
    let gov = Target::from_arn(GOV, None).unwrap();
    assert_eq!(
        (gov.partition.as_str(), gov.region.as_str(), gov.name.as_str()),
        ("aws-us-gov", "us-gov-west-1", "app-1")
    );
    assert_eq!(gov.mode, Mode::App);
}

#[test]
fn another_endpoint_changes_nothing_else() {
    let target = Target::from_arn(SERVER, Some("http://127.0.0.1:15010")).unwrap();
    assert_eq!(target.endpoint, "http://127.0.0.1:15010/");
    assert_eq!(target.service, "sagemaker-mlflow");
    assert_eq!(Target::from_arn(SERVER, Some("http://[::1]:80/")).unwrap().endpoint, "http://[::1]:80/");
}

#[test]
fn what_is_wrong_is_named() {
    let rows = [
        ("", "fewer than six parts"),
        ("demo", "fewer than six parts"),
        ("arm:aws:sagemaker:us-east-1:111122223333:mlflow-app/a", "does not begin with `arn:`"),
        ("arn:aws-cn:sagemaker:cn-north-1:111122223333:mlflow-app/a", "partition `aws-cn`"),
        ("arn:aws:s3:::bucket", "names `s3:bucket`"),
        ("arn:aws:sagemaker:us-east-1:111122223333:domain/d-1", "names `domain`"),
        ("arn:aws:sagemaker:us-east-1:111122223333:mlflow-app", "no name after `mlflow-app/`"),
        ("arn:aws:sagemaker:us-east-1:111122223333:mlflow-app/a/b", "`a/b` is no name"),
        ("arn:aws:sagemaker:us-east-1:111122223333:mlflow-app/a\r\nx: y", "is no name"),
        ("arn:aws:sagemaker:us-east-1:1111:mlflow-app/a", "account `1111`"),
        ("arn:aws:sagemaker::111122223333:mlflow-app/a", "`` is no region"),
        ("arn:aws:sagemaker:evil.com/#:111122223333:mlflow-app/a", "is no region"),
        ("arn:aws:sagemaker:us-gov-west-1:111122223333:mlflow-app/a", "not in the partition `aws`"),
        ("arn:aws-us-gov:sagemaker:us-east-1:111122223333:mlflow-app/a", "not in the partition `aws-us-gov`"),
    ];
    for (arn, words) in rows {
        let error = Target::from_arn(arn, None).unwrap_err();
        assert!(error.to_string().contains(words), "{arn}: {error}");
    }
    for (endpoint, words) in [
        ("mlflow.example.com", "no scheme"),
        ("ftp://mlflow.example.com", "`ftp`"),
        ("https://mlflow.example.com/base", "has a path"),
        ("https://mlflow.example.com/?a=b", "has a path"),
        ("https://", "no endpoint"),
    ] {
        let error = Target::from_arn(SERVER, Some(endpoint)).unwrap_err();
        assert!(error.to_string().contains(words), "{endpoint}: {error}");
    }
    let secret = Target::from_arn(SERVER, Some("https://ann:hunter2@mlflow.example.com")).unwrap_err();
    assert!(!secret.to_string().contains("hunter2"), "{secret}");
}

#[test]
fn settings_agree_or_are_a_mistake() {
    let (target, mistakes) =
        read_with(&[("SM_MLFLOW_RESOURCE_ARN", APP), ("SM_MLFLOW_AWS_REGION", "eu-west-1")]);
    assert_eq!(target.unwrap().region, "eu-west-1");
    assert!(mistakes.is_empty());

    let (target, mistakes) =
        read_with(&[("SM_MLFLOW_RESOURCE_ARN", APP), ("SM_MLFLOW_AWS_REGION", "us-east-1")]);
    assert!(target.is_none());
    assert!(
        mistakes[0].starts_with("SM_MLFLOW_AWS_REGION is `us-east-1`, but the resource is in `eu-west-1`")
    );

    assert!(read_with(&[]).1[0].starts_with("SM_MLFLOW_RESOURCE_ARN is not set\nhint: "));
}

#[test]
fn the_plugins_name_of_the_endpoint_is_known_and_ours_wins() {
    let plugin = ("SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT", "http://127.0.0.1:1");
    let (target, _) = read_with(&[("SM_MLFLOW_RESOURCE_ARN", APP), plugin]);
    assert_eq!(target.unwrap().endpoint, "http://127.0.0.1:1/");
    let ours = ("SM_MLFLOW_ENDPOINT", "http://127.0.0.1:2");
    let (target, _) = read_with(&[("SM_MLFLOW_RESOURCE_ARN", APP), plugin, ours]);
    assert_eq!(target.unwrap().endpoint, "http://127.0.0.1:2/");
    let (_, mistakes) =
        read_with(&[("SM_MLFLOW_RESOURCE_ARN", APP), ("SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT", "here")]);
    assert!(
        mistakes[0].starts_with("SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT is `here`, which is no endpoint"),
        "{mistakes:?}"
    );
}
