//! A service of AWS in this process, for tests: answers by a function and remembers what it was asked.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

type Answer = dyn Fn(usize, Asked) -> BoxFuture<'static, Response<Full<Bytes>>> + Send + Sync;

/// The service. It stops with the test's runtime.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    /// A service whose answers are given by the number of the request, from 0, and the request.
    pub(crate) async fn start<A, F>(answer: A) -> Self
    where
        A: Fn(usize, Asked) -> F + Send + Sync + 'static,
        F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let answer: Arc<Answer> = Arc::new(move |number, asked| answer(number, asked).boxed());
        let fake = Self { address, asked: asked.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, asked) = (answer.clone(), asked.clone());
                let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                    let (answer, asked) = (answer.clone(), asked.clone());
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.unwrap().to_bytes();
                        let body = String::from_utf8_lossy(&body).into_owned();
                        let this = Asked { headers: head.headers, body };
                        let number = {
                            let mut asked = asked.lock().unwrap();
                            asked.push(this.clone());
                            asked.len() - 1
                        };
                        Ok::<_, Infallible>(answer(number, this).await)
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        fake
    }

    /// Its address as an endpoint.
    pub(crate) fn uri(&self) -> Uri {
        format!("http://{}/", self.address).parse().unwrap()
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How many requests there were.
    pub(crate) fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

/// An answer from a place where it is so many minutes later.
pub(crate) fn later(minutes: i64, mut answer: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    let time = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
    let date = time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    answer.headers_mut().insert(http::header::DATE, date.parse().unwrap());
    answer
}

/// How many minutes later than here a request was signed.
pub(crate) fn signed_later(asked: &Asked) -> i64 {
    let date = asked.headers["x-amz-date"].to_str().unwrap();
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).unwrap();
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    (time.duration_since(jiff::Timestamp::now()).as_secs() + 30).div_euclid(60)
}

/// An answer with a body.
pub(crate) fn answer(status: u16, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::new(body.into())).unwrap()
}
