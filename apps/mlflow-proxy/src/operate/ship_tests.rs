use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::super::queue::{Queue, queue};
use super::*;

/// A log service that keeps what it is asked and answers as it is told.
#[derive(Clone, Default)]
struct Fake {
    calls: Arc<Mutex<Vec<(String, Value)>>>,
    /// Answers to `PutLogEvents`, then all is well.
    puts: Arc<Mutex<VecDeque<Result<Value, Failure>>>>,
}

impl Service for Fake {
    async fn call(&self, operation: &str, body: &Value) -> Result<Value, Failure> {
        self.calls.lock().unwrap().push((operation.to_owned(), body.clone()));
        match operation {
            "PutLogEvents" => self.puts.lock().unwrap().pop_front().unwrap_or(Ok(json!({}))),
            _ => Ok(json!({})),
        }
    }
}

impl Fake {
    fn answering(puts: impl IntoIterator<Item = Result<Value, Failure>>) -> Self {
        let fake = Self::default();
        fake.puts.lock().unwrap().extend(puts);
        fake
    }

    fn operations(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|(operation, _)| operation.clone()).collect()
    }

    /// The messages of every batch.
    fn batches(&self) -> Vec<Vec<String>> {
        let calls = self.calls.lock().unwrap();
        let puts = calls.iter().filter(|(operation, _)| operation == "PutLogEvents");
        puts.map(|(_, body)| {
            let events = body["logEvents"].as_array().unwrap();
            events.iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
        })
        .collect()
    }
}

struct Running {
    fake: Fake,
    queue: Queue,
    metrics: Arc<Metrics>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

fn start(fake: Fake) -> Running {
    let (queue, waiting) = queue();
    let metrics = Metrics::new();
    let (stop, stopped) = watch::channel(false);
    let place = Place { group: "/proxy".to_owned(), stream: "one".to_owned() };
    let task = tokio::spawn(run(fake.clone(), place, waiting, metrics.clone(), stopped));
    Running { fake, queue, metrics, stop, task }
}

fn at(second: u64, line: &str) -> Entry {
    Entry { time: SystemTime::UNIX_EPOCH + Duration::from_secs(second), line: line.into() }
}

fn refused(code: &str) -> Result<Value, Failure> {
    Err(Failure::Refused(code.to_owned(), "no".to_owned()))
}

#[tokio::test(start_paused = true)]
async fn lines_go_together_in_the_order_of_their_times() {
    let running = start(Fake::default());
    assert!(running.queue.push(at(20, "second")));
    assert!(running.queue.push(at(10, "first")));
    sleep(GATHERING * 2).await;
    assert_eq!(running.fake.operations(), ["CreateLogStream", "PutLogEvents"]);
    assert_eq!(running.fake.batches(), [["first", "second"]]);
    assert_eq!(running.metrics.log_events_shipped.get(), 2);
    let body = running.fake.calls.lock().unwrap()[1].1.clone();
    assert_eq!(body["logGroupName"], "/proxy");
    assert_eq!(body["logStreamName"], "one");
    assert_eq!(body["logEvents"][0]["timestamp"], 10_000);

    assert!(running.queue.push(at(30, "third")));
    sleep(GATHERING * 2).await;
    assert_eq!(running.fake.operations().len(), 3, "the stream is made once");
}

#[tokio::test(start_paused = true)]
async fn a_batch_keeps_to_the_limits_of_the_service() {
    let running = start(Fake::default());
    let large = "x".repeat(GREATEST_BATCH / 2);
    for line in [&*large, "small", &*large] {
        assert!(running.queue.push(at(1, line)));
    }
    assert!(running.queue.push(at(1 + 24 * 60 * 60, "a day later")));
    sleep(GATHERING * 4).await;
    let counts: Vec<_> = running.fake.batches().iter().map(Vec::len).collect();
    assert_eq!(counts, [2, 1, 1]);

    for _ in 0..GREATEST_COUNT {
        assert!(running.queue.push(at(1, "x")));
    }
    sleep(Duration::from_millis(1)).await;
    assert!(running.queue.push(at(1, "one more")));
    sleep(GATHERING * 4).await;
    let counts: Vec<_> = running.fake.batches().iter().skip(3).map(Vec::len).collect();
    assert_eq!(counts, [GREATEST_COUNT, 1]);
}

#[tokio::test(start_paused = true)]
async fn throttling_and_silence_are_tried_again() {
    let silence = Err(Failure::NoAnswer("reset".to_owned()));
    let running = start(Fake::answering([refused("ThrottlingException"), silence]));
    assert!(running.queue.push(at(1, "patient")));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(running.fake.batches(), [["patient"], ["patient"], ["patient"]]);
    assert_eq!(running.metrics.log_events_shipped.get(), 1);
    assert_eq!(running.metrics.log_events_dropped.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_stream_is_made_anew() {
    let running = start(Fake::answering([Ok(json!({})), refused("ResourceNotFoundException")]));
    assert!(running.queue.push(at(1, "one")));
    sleep(GATHERING * 2).await;
    assert!(running.queue.push(at(2, "two")));
    sleep(GATHERING * 2).await;
    let expected = ["CreateLogStream", "PutLogEvents", "PutLogEvents", "CreateLogStream", "PutLogEvents"];
    assert_eq!(running.fake.operations(), expected);
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_is_counted_and_told() {
    let running = start(Fake::answering([refused("InvalidParameterException")]));
    assert!(running.queue.push(at(1, "bad")));
    sleep(GATHERING * 2).await;
    assert_eq!(running.metrics.log_events_dropped.get(), 1);
    assert!(running.queue.push(at(2, "good")));
    sleep(GATHERING * 2).await;
    let last = running.fake.batches().pop().unwrap();
    assert_eq!(last[0], "good");
    assert_eq!(last[1], r#"{"level":"warn","lines":1,"message":"log lines were lost"}"#);

    assert!(running.queue.push(at(3, "more")));
    sleep(GATHERING * 2).await;
    assert_eq!(running.fake.batches().pop().unwrap(), ["more"], "told once");
}

#[tokio::test(start_paused = true)]
async fn rejected_events_count_as_lost() {
    let answer =
        json!({ "rejectedLogEventsInfo": { "tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2 } });
    let running = start(Fake::answering([Ok(answer)]));
    for second in 1..=4 {
        assert!(running.queue.push(at(second, "line")));
    }
    sleep(GATHERING * 2).await;
    assert_eq!(running.metrics.log_events_shipped.get(), 1);
    assert_eq!(running.metrics.log_events_dropped.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_end_sends_what_is_left_without_waiting_for_more() {
    let running = start(Fake::default());
    assert!(running.queue.push(at(1, "last words")));
    tokio::task::yield_now().await;
    let before = Instant::now();
    running.stop.send(true).unwrap();
    running.task.await.unwrap();
    assert_eq!(running.fake.batches(), [["last words"]]);
    assert!(before.elapsed() < GATHERING);
}

#[tokio::test(start_paused = true)]
async fn the_end_comes_although_the_service_is_gone() {
    let silence = || Err(Failure::NoAnswer("reset".to_owned()));
    let running = start(Fake::answering((0..100).map(|_| silence())));
    assert!(running.queue.push(at(1, "lost")));
    sleep(GATHERING * 2).await;
    let before = Instant::now();
    running.stop.send(true).unwrap();
    running.task.await.unwrap();
    assert!(before.elapsed() <= END_LIMIT * 2, "{:?}", before.elapsed());
}

#[test]
fn a_stream_has_a_name_that_the_service_takes() {
    let place = Place::new("/proxy", SystemTime::UNIX_EPOCH);
    assert!(place.stream.starts_with("proxy/"), "{}", place.stream);
    assert!(place.stream.contains("1970-01-01T00-00-00Z"), "{}", place.stream);
    assert!(!place.stream.contains([':', '*']));
}
