//! What time it is for a service, which need not be what our own clock says.

use jiff::Timestamp;

use super::{Error, ErrorKind, Patience, RawClient, collect, encode, explained, host_of};
use super::{HttpConnector, HttpRequest, SdkBody, Service};

impl RawClient {
    /// The time of STS, from the `Date` of its answer to a request that nobody signed, and our own when the answer came.
    /// Whatever the answer is, it has a time; signatures and credentials have no say.
    ///
    /// # Errors
    /// When STS cannot be reached or says no time.
    pub async fn clocks(&self) -> Result<(Timestamp, Timestamp), Error> {
        const OPERATION: &str = "GetCallerIdentity";
        let inner = &self.inner;
        let wrong = |why: String| Error::new(OPERATION, ErrorKind::Protocol, why);
        let attempt = || async {
            let (url, _) = Service::of("sts").endpoint(&inner.configuration, &inner.partition, &inner.region);
            let form = format!("Action={}&Version=2011-06-15", encode(OPERATION));
            let request = ::http::Request::builder()
                .method("POST")
                .uri(format!("{}/", url.trim_end_matches('/')))
                .header("content-type", "application/x-www-form-urlencoded")
                .body(SdkBody::from(form))
                .map_err(|error| wrong(error.to_string()))?;
            let request = HttpRequest::try_from(request).map_err(|error| wrong(error.to_string()))?;
            let host = host_of(request.uri()).to_owned();
            let broken = |error| Error::broken(OPERATION, &error);
            let mut answer = match inner.connector.call(request).await {
                Ok(answer) => answer,
                Err(error) => return Err(broken(explained(error, host).await)),
            };
            let ours = Timestamp::try_from(inner.time.now()).map_err(|error| wrong(error.to_string()))?;
            collect(answer.take_body()).await.map_err(broken)?;
            let date = answer.headers().get("date").unwrap_or_default();
            let theirs = jiff::fmt::rfc2822::parse(date)
                .map_err(|_| wrong(format!("the answer says {date:?} for its time")))?;
            Ok((theirs.timestamp(), ours))
        };
        inner.caller.read(OPERATION, Patience::SHORT, attempt).await
    }
}
