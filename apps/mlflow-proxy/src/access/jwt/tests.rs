//! Tokens that are good, and every way in which one is not.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use ring::signature::ECDSA_P384_SHA384_FIXED_SIGNING;
use serde_json::{Value, json};

use super::testing::{ISSUER, Pair, Web};
use super::*;
use crate::access::Role;

const ARN: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/proxy/0123456789abcdef";
const NOW: u64 = 1_800_000_000;

pub(super) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

fn settings() -> Settings {
    Settings {
        issuer: Some(ISSUER.to_owned()),
        audiences: vec!["mlflow".to_owned()],
        balancer: None,
        name_claim: "sub".to_owned(),
        roles_claim: "groups".to_owned(),
        groups: [
            (Role::Admin, vec!["ops".to_owned()]),
            (Role::Writer, vec!["science".to_owned()]),
            (Role::Reader, vec!["staff".to_owned()]),
        ],
        role: None,
    }
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": "mlflow", "sub": "ann", "exp": NOW + 600, "groups": ["staff", "science"] })
}

fn with(field: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[field] = value;
    claims
}

async fn bearer(verifier: &Verifier, token: &str) -> Result<Identity, Refusal> {
    verifier.bearer(token, now()).await
}

#[tokio::test]
async fn tokens_of_every_accepted_algorithm_are_good() {
    let pairs =
        [Pair::p256(), Pair::curve(&ECDSA_P384_SHA384_FIXED_SIGNING, "ES384", "P-384"), Pair::edwards()];
    for pair in pairs {
        let web = Web::with_keys(&[pair.public("k1")]);
        let verifier = Verifier::new(settings(), web.documents());
        let ann = Identity::new("ann", Role::Writer, "jwt");
        assert_eq!(bearer(&verifier, &pair.bearer(&claims())).await, Ok(ann), "{}", pair.name());
        assert_eq!(web.fetches(), 2);
    }
    let mut lines =
        include_str!("fixtures/rsa.txt").lines().skip(1).map(|line| line.split_once(' ').unwrap().1);
    let (tokens, n) = ([lines.next().unwrap(), lines.next().unwrap()], lines.next().unwrap());
    let key = json!({ "kty": "RSA", "kid": "rsa", "n": n, "e": "AQAB" });
    let verifier = Verifier::new(
        Settings { role: Some(Role::Reader), ..settings() },
        Web::with_keys(&[key]).documents(),
    );
    for token in tokens {
        let user = Identity::new("rsa-user", Role::Reader, "jwt");
        assert_eq!(bearer(&verifier, token).await, Ok(user));
        let (signed, _) = token.rsplit_once('.').unwrap();
        let (_, other) = tokens[0].rsplit_once('.').unwrap();
        let swapped = format!("{signed}.{}A", &other[..other.len() - 1]);
        assert!(matches!(bearer(&verifier, &swapped).await, Err(Refusal::Token(_))));
    }
}

#[tokio::test]
async fn claims_are_checked() {
    let pair = Pair::p256();
    let verifier = Verifier::new(settings(), Web::with_keys(&[pair.public("k1")]).documents());
    let mut without_audience = claims();
    without_audience.as_object_mut().unwrap().remove("aud");
    let mut of_cognito = without_audience.clone();
    of_cognito["client_id"] = json!("mlflow");
    let mut without_end = claims();
    without_end.as_object_mut().unwrap().remove("exp");
    for (claims, wrong) in [
        (with("iss", json!("https://issuer.example/")), None),
        (with("aud", json!(["other", "mlflow"])), None),
        (of_cognito, None),
        (with("exp", json!(NOW - 59)), None),
        (with("exp", json!(1e300)), None),
        (with("nbf", json!(NOW + 59)), None),
        (with("iss", json!("https://evil.example")), Some("the token is of another issuer")),
        (with("iss", json!(7)), Some("the token is of another issuer")),
        (with("aud", json!("other")), Some("the token is for another audience")),
        (with("aud", json!([])), Some("the token is for another audience")),
        (with("aud", json!(null)), Some("the token is for another audience")),
        (without_audience, Some("the token is for another audience")),
        (with("exp", json!(NOW - 61)), Some("the token has expired")),
        (with("exp", json!("never")), Some("the token has no end")),
        (without_end, Some("the token has no end")),
        (with("nbf", json!(NOW + 61)), Some("the token is not valid yet")),
        (with("nbf", json!("soon")), Some("the token is not valid yet")),
        (with("sub", json!("")), Some("the token has no usable name of its bearer")),
        (with("sub", json!("a\nb")), Some("the token has no usable name of its bearer")),
        (with("sub", json!(["ann"])), Some("the token has no usable name of its bearer")),
    ] {
        let answer = bearer(&verifier, &pair.bearer(&claims)).await;
        assert_eq!(answer.err(), wrong.map(Refusal::Token), "{claims}");
    }
}

#[tokio::test]
async fn what_is_not_signed_by_the_issuer_is_refused() {
    let (pair, other) = (Pair::p256(), Pair::p256());
    let verifier = Verifier::new(settings(), Web::with_keys(&[pair.public("k1")]).documents());
    let refused = async |token: &str| matches!(bearer(&verifier, token).await, Err(Refusal::Token(_)));
    assert!(bearer(&verifier, &pair.bearer(&claims())).await.is_ok());
    assert!(refused(&other.bearer(&claims())).await, "another key of the same name");
    let good = pair.bearer(&claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = signed.split_once('.').unwrap();
    let other_claims = URL_SAFE_NO_PAD.encode(with("sub", json!("root")).to_string());
    assert!(refused(&format!("{head}.{other_claims}.{signature}")).await, "other claims");
    assert!(refused(&format!("{signed}.")).await, "no signature");
    for algorithm in ["none", "None", "HS256", "HS512", "ES384", "RS256", "EdDSA", ""] {
        let token = pair.token(&json!({ "alg": algorithm, "kid": "k1" }), &claims());
        assert!(refused(&token).await, "{algorithm}");
    }
    let demanding = pair.token(&json!({ "alg": "ES256", "kid": "k1", "crit": ["b64"] }), &claims());
    assert!(refused(&demanding).await, "an extension");
    let zeros = format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 64]));
    assert!(refused(&zeros).await, "a signature of zeros");
    for wrong in ["", ".", "..", "a.b.c", "a.b", &format!("{good}.x"), &"x".repeat(20_000)] {
        assert!(refused(wrong).await, "{wrong:.20}");
    }
}

#[tokio::test]
async fn groups_make_roles() {
    let pair = Pair::p256();
    let web = Web::with_keys(&[pair.public("k1")]);
    let ask = async |settings: Settings, claims: Value| {
        let verifier = Verifier::new(settings, web.documents());
        bearer(&verifier, &pair.bearer(&claims)).await.map(|identity| identity.role)
    };
    for (groups, role) in [
        (json!(["ops"]), Role::Admin),
        (json!(["staff", "ops"]), Role::Admin),
        (json!(["staff"]), Role::Reader),
        (json!("science"), Role::Writer),
    ] {
        assert_eq!(ask(settings(), with("groups", groups.clone())).await, Ok(role), "{groups}");
    }
    for groups in [
        json!([]),
        json!(["Ops"]),
        json!("op"),
        json!("not ops"),
        json!("staff,ops"),
        json!(null),
        json!({ "ops": true }),
        json!([["ops"]]),
    ] {
        let answer = ask(settings(), with("groups", groups.clone())).await;
        assert_eq!(answer, Err(Refusal::NoRole("ann".to_owned())), "{groups}");
        let fallback = Settings { role: Some(Role::Reader), ..settings() };
        assert_eq!(ask(fallback, with("groups", groups)).await, Ok(Role::Reader));
    }
    let nested = Settings { roles_claim: "realm_access.roles".to_owned(), ..settings() };
    assert_eq!(ask(nested, with("realm_access", json!({ "roles": ["ops"] }))).await, Ok(Role::Admin));
    for claim in ["scope", "scp"] {
        let scopes = Settings { roles_claim: claim.to_owned(), ..settings() };
        assert_eq!(ask(scopes.clone(), with(claim, json!("openid ops"))).await, Ok(Role::Admin), "{claim}");
        assert!(ask(scopes, with(claim, json!("openid,ops"))).await.is_err(), "{claim}");
    }
    let url = Settings { roles_claim: "https://x.example/groups".to_owned(), ..settings() };
    assert_eq!(ask(url, with("https://x.example/groups", json!(["ops"]))).await, Ok(Role::Admin));
}

#[test]
fn a_key_without_a_name_stays_with_its_algorithm() {
    use keys::KeySet;
    use token::Algorithm::{Ps256, Rs256, Rs512};
    let key = json!({ "kty": "RSA", "alg": "RS256", "n": "AQAB", "e": "AQAB" });
    let one = KeySet::parse(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
    for id in [None, Some("k1")] {
        assert_eq!(one.find(id, Rs256).len(), 1, "{id:?}");
        assert_eq!(one.find(id, Rs512), [], "{id:?}");
        assert_eq!(one.find(id, Ps256), [], "{id:?}");
    }
    let two = KeySet::parse(json!({ "keys": [key, key] }).to_string().as_bytes()).unwrap();
    assert_eq!((two.find(None, Rs256).len(), two.find(Some("k1"), Rs256).len()), (2, 0));
}

#[tokio::test]
async fn a_new_key_is_found_and_invented_ones_make_no_traffic() {
    let (old, new) = (Pair::p256(), Pair::p256());
    let web = Web::with_keys(&[old.public("k1")]);
    let verifier = Verifier::new(settings(), web.documents());
    assert!(bearer(&verifier, &old.bearer(&claims())).await.is_ok());
    let with_new = json!({ "keys": [old.public("k1"), new.public("k2")] });
    web.set("https://keys.example/set", &with_new.to_string());
    let token = new.token(&json!({ "alg": "ES256", "kid": "k2" }), &claims());
    assert!(bearer(&verifier, &token).await.is_err(), "keys were fetched a moment ago");
    for invented in 0..50 {
        let token = new.token(&json!({ "alg": "ES256", "kid": format!("x{invented}") }), &claims());
        assert!(bearer(&verifier, &token).await.is_err());
    }
    assert_eq!(web.fetches(), 2, "the discovery and the keys, once");
    *verifier.issuer.as_ref().unwrap().fetching.lock().await = Some(Instant::now() - Duration::from_secs(31));
    assert!(bearer(&verifier, &token).await.is_ok());
    assert_eq!(web.fetches(), 4);
}

#[tokio::test]
async fn an_issuer_that_is_away_or_says_nonsense_is_told_as_such() {
    let pair = Pair::p256();
    let keys = json!({ "keys": [pair.public("k1")] }).to_string();
    let discovery = |issuer: &str, place: &str| json!({ "issuer": issuer, "jwks_uri": place }).to_string();
    for (discovery, keys) in [
        (String::new(), keys.clone()),
        ("{}".to_owned(), keys.clone()),
        (discovery("https://evil.example", "https://keys.example/set"), keys.clone()),
        (discovery(ISSUER, "http://keys.example/set"), keys.clone()),
        (discovery(ISSUER, "http://127.0.0.1/set"), keys.clone()),
        (discovery(ISSUER, "file:///etc/passwd"), keys.clone()),
        (discovery(ISSUER, "https://elsewhere.example/"), keys.clone()),
        (discovery(ISSUER, "https://keys.example/set"), "[]".to_owned()),
        (discovery(ISSUER, "https://keys.example/set"), r#"{"keys":[]}"#.to_owned()),
        (discovery(ISSUER, "https://keys.example/set"), r#"{"keys":[{"kty":"oct","k":"AA"}]}"#.to_owned()),
        (discovery(ISSUER, "https://keys.example/set"), format!("{keys}{}", " ".repeat(256 * 1024))),
    ] {
        let web = Web::default();
        web.set("https://issuer.example/.well-known/openid-configuration", &discovery);
        web.set("https://keys.example/set", &keys);
        let verifier = Verifier::new(settings(), web.documents());
        let answer = bearer(&verifier, &pair.bearer(&claims())).await;
        assert!(matches!(answer, Err(Refusal::Unavailable(_))), "{discovery} {keys:.60}: {answer:?}");
        let fetches = web.fetches();
        assert!(bearer(&verifier, &pair.bearer(&with("sub", json!("bob")))).await.is_err());
        assert_eq!(web.fetches(), fetches, "an issuer in trouble is left alone for a while");
    }
}

#[tokio::test]
async fn a_good_token_is_known_for_a_while_but_not_beyond_its_end() {
    let pair = Pair::p256();
    let verifier = Verifier::new(settings(), Web::with_keys(&[pair.public("k1")]).documents());
    let token = pair.bearer(&with("exp", json!(NOW)));
    assert!(verifier.bearer(&token, now()).await.is_ok());
    assert_eq!(verifier.known.lock().unwrap().len(), 1);
    assert!(verifier.bearer(&token, now() + Duration::from_secs(59)).await.is_ok());
    let late = verifier.bearer(&token, now() + Duration::from_secs(60)).await;
    assert_eq!(late, Err(Refusal::Token("the token has expired")));
}

pub(super) fn balancer_settings() -> Settings {
    Settings { issuer: None, audiences: Vec::new(), balancer: Some(ARN.to_owned()), ..settings() }
}

/// As load balancers write it: base64url with padding, and the end in the head.
pub(super) fn balancer_token(pair: &Pair, change: impl Fn(&mut Value)) -> String {
    let mut head = json!({
        "typ": "JWT", "kid": "11111111-2222-3333-4444-555555555555", "alg": "ES256", "iss": ISSUER,
        "client": "client-of-the-balancer", "signer": ARN, "exp": NOW + 120,
    });
    change(&mut head);
    let claims = json!({ "sub": "ann", "email": "ann@example.com", "groups": "science", "iss": ISSUER });
    let message = format!("{}.{}", URL_SAFE.encode(head.to_string()), URL_SAFE.encode(claims.to_string()));
    let signature = URL_SAFE.encode(pair.sign(&message));
    format!("{message}.{signature}")
}

#[tokio::test]
async fn a_load_balancer_is_believed_when_it_is_ours() {
    let pair = Pair::p256();
    let web = Web::default();
    let place =
        "https://public-keys.auth.elb.eu-central-1.amazonaws.com/11111111-2222-3333-4444-555555555555";
    web.set(place, &pair.pem());
    let verifier = Verifier::new(balancer_settings(), web.documents());
    let good = balancer_token(&pair, |_| {});
    assert!(good.contains('='), "with padding");
    assert_eq!(verifier.balancer(&good, now()).await, Ok(Identity::new("ann", Role::Writer, "jwt")));
    let refused = async |token: String| {
        let answer = verifier.balancer(&token, now()).await;
        assert!(matches!(answer, Err(Refusal::Token(_))), "{answer:?}");
    };
    refused(balancer_token(&pair, |head| head["signer"] = json!(ARN.replace("proxy", "evil")))).await;
    refused(balancer_token(&pair, |head| head["exp"] = json!(NOW - 61))).await;
    refused(balancer_token(&pair, |head| head["kid"] = json!("../../etc"))).await;
    refused(balancer_token(&pair, |head| head["kid"] = json!(null))).await;
    refused(balancer_token(&pair, |head| head["alg"] = json!("EdDSA"))).await;
    refused(balancer_token(&Pair::p256(), |_| {})).await;
    assert_eq!(web.fetches(), 1, "only for keys that ours may have");
    assert!(matches!(verifier.bearer(&good, now()).await, Err(Refusal::Token(_))), "it is no bearer token");
    let strict = Settings { audiences: vec!["other".to_owned()], ..balancer_settings() };
    let strict = Verifier::new(strict, web.documents());
    assert!(matches!(strict.balancer(&good, now()).await, Err(Refusal::Token(_))), "another client");
    for page in ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
        web.set(place, page);
        let verifier = Verifier::new(balancer_settings(), web.documents());
        assert!(matches!(verifier.balancer(&good, now()).await, Err(Refusal::Unavailable(_))), "{page}");
    }
}

#[test]
fn only_one_header_of_the_load_balancer_counts() {
    let mut headers = HeaderMap::new();
    assert_eq!(balancer_header(&headers), None);
    headers.append(BALANCER_HEADER, "a".parse().unwrap());
    assert_eq!(balancer_header(&headers), Some("a"));
    headers.append(BALANCER_HEADER, "b".parse().unwrap());
    assert_eq!(balancer_header(&headers), None);
}

proptest::proptest! {
    #![proptest_config(crate::fuzzing::inputs())]

    #[test]
    fn any_text_is_taken_apart(head in "\\PC{0,40}", claims in "\\PC{0,40}", bytes in proptest::collection::vec(0u8.., 0..80)) {
        let _ = Token::parse(&head);
        let _ = Token::parse(&[URL_SAFE_NO_PAD.encode(&head), URL_SAFE_NO_PAD.encode(&claims), String::new()].join("."));
        let _ = keys::KeySet::parse(&bytes);
        let _ = keys::Key::from_pem(&bytes);
    }
}
