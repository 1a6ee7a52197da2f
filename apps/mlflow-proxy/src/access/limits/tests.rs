//! How much goes through at once and over time.

use super::*;

fn rates(rate: u32, burst: u32) -> Rates {
    Rates::new(NonZeroU32::new(rate), NonZeroU32::new(burst).unwrap())
}

#[test]
fn a_burst_goes_through_and_then_the_rate() {
    let (rates, start) = (rates(10, 3), Instant::now());
    let name = Arc::from("ann");
    for _ in 0..3 {
        assert_eq!(rates.take(&name, start), Ok(()));
    }
    assert_eq!(rates.take(&name, start), Err(Duration::from_millis(100)));
    assert_eq!(rates.take(&Arc::from("bob"), start), Ok(()), "each has their own");
    assert_eq!(rates.take(&name, start + Duration::from_millis(100)), Ok(()));
    assert!(rates.take(&name, start + Duration::from_millis(150)).is_err());
    let mut passed = 0;
    for step in 0..2000 {
        passed += u32::from(rates.take(&name, start + Duration::from_millis(200 + step)).is_ok());
    }
    assert!((19..=22).contains(&passed), "{passed} in two seconds");
}

#[test]
fn without_a_rate_all_goes_through() {
    let rates = rates(0, 1);
    assert!((0..10_000).all(|_| rates.take(&Arc::from("ann"), Instant::now()).is_ok()));
}

#[test]
fn the_names_that_are_kept_are_bounded() {
    let (rates, start) = (rates(1, 1), Instant::now());
    for index in 0..NAMES * SHARDS * 2 {
        let _ = rates.take(&Arc::from(format!("name-{index}")), start);
    }
    let kept: usize = rates.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
    assert!(kept <= (NAMES + 1) * SHARDS, "{kept}");
    let later = start + Duration::from_secs(60);
    assert_eq!(rates.take(&Arc::from("a newcomer"), later), Ok(()), "those who are silent make room");
}

#[test]
fn failures_are_counted_in_a_bounded_number_of_buckets() {
    let (buckets, now) = (Buckets::new(Bucket::new(Duration::from_secs(1), 2), 8, 1), Instant::now());
    assert_eq!(buckets.wait("ann", now), Duration::ZERO);
    assert_eq!((buckets.take("ann", now), buckets.take("ann", now)), (Ok(()), Ok(())));
    assert_eq!(buckets.take("ann", now), Err(Duration::from_secs(1)));
    assert_eq!(buckets.wait("ann", now), Duration::from_secs(1));
    assert_eq!(buckets.wait("ann", now + Duration::from_secs(1)), Duration::ZERO);
    for index in 0..100 {
        let _ = buckets.take(&index.to_string(), now);
    }
    assert_eq!(buckets.full().len(), 8);
}

#[tokio::test]
async fn a_body_past_the_limit_is_refused_by_its_length_or_cut_off() {
    let problem = Admission::new(Some(10), Some(11)).unwrap_err();
    assert_eq!(problem.status, StatusCode::PAYLOAD_TOO_LARGE);
    let admission = Admission::new(Some(10), Some(10)).unwrap();
    assert_eq!(Admission::new(None, Some(u64::MAX)), Ok(Admission { body_limit: None }));
    let read = async |length: usize| admission.limit(crate::body::full(vec![0; length])).collect().await;
    assert_eq!(read(10).await.unwrap().to_bytes().len(), 10);
    assert!(read(11).await.is_err());
}
