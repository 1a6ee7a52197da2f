//! Memory does not grow with the files: measured in a process of its own.

use std::process::Command;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;

use super::transfers::upload;
use super::*;
use crate::body::BodyError;

/// The most that the process may have held in memory, in KiB: the test program itself, runtime and S3 included. Half of
/// what eight parts would take.
const LIMIT: u64 = 64 * 1024;

/// The size of the file, in MiB.
const SIZE: usize = 200;

#[test]
fn memory_stays_flat_with_large_files() {
    let program = std::env::current_exe().unwrap();
    let name = "artifacts::tests::memory::measured";
    let output = Command::new(program).args(["--exact", name, "--ignored", "--nocapture"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "{text}");
}

#[tokio::test]
#[ignore = "a part of the test above, in a process of its own"]
async fn measured() {
    println!("before: {} KiB", peak());
    for (trusting, told) in [(true, Some(SIZE)), (false, Some(SIZE)), (true, None)] {
        let (fake, artifacts) = start(trusting).await;
        fake.state().forgets = true;
        let artifacts = Arc::new(artifacts);
        let uploads = (0..8).map(|_| {
            let artifacts = Arc::clone(&artifacts);
            tokio::spawn(async move { artifacts.answer(upload(told, stream_of(SIZE))).await.status() })
        });
        for upload in uploads.collect::<Vec<_>>() {
            assert_eq!(upload.await.unwrap(), 200);
        }
        let peak = peak();
        println!("after 8 x {SIZE} MiB, trusting {trusting}, told {told:?}: {peak} KiB");
        assert!(peak < LIMIT, "{peak} KiB");
    }
}

/// A body of so many mebibytes in chunks as a server reads them from its sockets.
fn stream_of(mebibytes: usize) -> Body {
    let chunk = Bytes::from_static(&[7; 64 * 1024]);
    let chunks = (0..mebibytes * 16).map(move |_| Ok::<_, BodyError>(Frame::data(chunk.clone())));
    StreamBody::new(stream::iter(chunks)).boxed_unsync()
}

/// The most memory that this process has held, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
