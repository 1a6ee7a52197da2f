//! What the tests' S3 does with a request that is signed well.

use bytes::Bytes;
use http::{Method, Response};
use http_body_util::Full;

use super::{Object, State, error, reply, text};

impl State {
    pub(super) fn serve(
        &mut self,
        head: &http::request::Parts,
        key: &str,
        query: &str,
        object: Object,
    ) -> Response<Full<Bytes>> {
        let given = |name: &str| {
            let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            value.map(|value| percent_encoding::percent_decode_str(value).decode_utf8().unwrap().into_owned())
        };
        match (&head.method, key) {
            (&Method::GET, "") => self.list(
                &given("prefix").unwrap_or_default(),
                given("delimiter").is_some(),
                given("continuation-token").as_deref(),
            ),
            (&Method::HEAD, "") => reply(200, ""),
            (&Method::POST, "") => self.delete(&object.bytes),
            (&Method::GET | &Method::HEAD, key) => self.get(head, key),
            (&Method::PUT, key) => self.put(key, given("uploadId"), given("partNumber"), object),
            (&Method::POST, key) if query.starts_with("uploads") => {
                let id = format!("upload {}/{key}+", self.uploads.len());
                self.uploads.insert(id.clone(), (object.kind, Default::default()));
                reply(
                    200,
                    format!(
                        "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                    ),
                )
            }
            (&Method::POST, key) => self.complete(key, &given("uploadId").unwrap(), &object.bytes),
            (&Method::DELETE, key) => match given("uploadId") {
                Some(id) => {
                    self.uploads.remove(&id).unwrap();
                    self.aborted += 1;
                    reply(204, "")
                }
                None => {
                    self.objects.remove(key);
                    reply(204, "")
                }
            },
            _ => reply(405, error("MethodNotAllowed")),
        }
    }

    fn get(&self, head: &http::request::Parts, key: &str) -> Response<Full<Bytes>> {
        let Some(object) = self.objects.get(key) else { return reply(404, error("NoSuchKey")) };
        let tag = format!("\"{}\"", object.length);
        if text(&head.headers, "if-none-match") == tag {
            return reply(304, "");
        }
        if head.headers.contains_key("if-match") && text(&head.headers, "if-match") != tag {
            return reply(412, error("PreconditionFailed"));
        }
        let range = text(&head.headers, "range");
        let mut response = match range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) {
            Some((from, to)) => {
                let length = object.bytes.len();
                let from: usize = from.parse().unwrap();
                if from >= length {
                    let document = format!(
                        "<Error><Code>InvalidRange</Code><ActualObjectSize>{length}</ActualObjectSize></Error>"
                    );
                    return reply(416, document);
                }
                let to = to.parse().map_or(length, |to: usize| (to + 1).min(length));
                let mut response = reply(206, object.bytes.slice(from..to));
                let range = format!("bytes {from}-{}/{length}", to - 1);
                response.headers_mut().insert("content-range", range.parse().unwrap());
                response
            }
            None => reply(200, object.bytes.clone()),
        };
        let headers = response.headers_mut();
        headers.insert("etag", tag.parse().unwrap());
        headers.insert("accept-ranges", "bytes".parse().unwrap());
        headers.insert("content-type", "text/html".parse().unwrap());
        headers.insert("content-encoding", "gzip".parse().unwrap());
        headers.insert("x-amz-server-side-encryption", "aws:kms".parse().unwrap());
        response
    }

    fn put(
        &mut self,
        key: &str,
        id: Option<String>,
        number: Option<String>,
        object: Object,
    ) -> Response<Full<Bytes>> {
        let tag = format!("\"{}\"", object.length);
        match id {
            Some(id) => {
                let Some((_, parts)) = self.uploads.get_mut(&id) else {
                    return reply(404, error("NoSuchUpload"));
                };
                parts.insert(number.unwrap().parse().unwrap(), object);
            }
            None => {
                self.objects.insert(key.to_owned(), object);
            }
        }
        let mut response = reply(200, "");
        response.headers_mut().insert("etag", tag.parse().unwrap());
        response
    }

    fn complete(&mut self, key: &str, id: &str, document: &[u8]) -> Response<Full<Bytes>> {
        let Some((kind, parts)) = self.uploads.remove(id) else { return reply(404, error("NoSuchUpload")) };
        let expected: String = parts
            .iter()
            .map(|(number, part)| {
                format!(
                    "<Part><PartNumber>{number}</PartNumber><ETag>&quot;{}&quot;</ETag></Part>",
                    part.length
                )
            })
            .collect();
        assert!(std::str::from_utf8(document).unwrap().contains(&expected));
        let length = parts.values().map(|part| part.length).sum();
        let bytes: Vec<u8> = parts.values().flat_map(|part| part.bytes.to_vec()).collect();
        self.objects.insert(key.to_owned(), Object { bytes: bytes.into(), length, kind });
        reply(200, "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>")
    }

    fn list(&self, prefix: &str, delimited: bool, after: Option<&str>) -> Response<Full<Bytes>> {
        let mut text = String::from(
            "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><EncodingType>url</EncodingType>",
        );
        let encode = |text: &str| crate::artifacts::bucket::encode_path(text);
        let mut last = after.unwrap_or_default().to_owned();
        let mut entries = 0;
        let mut truncated = false;
        for (key, object) in self.objects.iter().filter(|(key, _)| key.starts_with(prefix)) {
            let rest = &key[prefix.len()..];
            let directory = rest.find('/').filter(|_| delimited).map(|end| &key[..prefix.len() + end + 1]);
            let entry = directory.unwrap_or(key);
            if entry <= last.as_str() {
                continue;
            }
            if entries == self.page {
                truncated = true;
                break;
            }
            entries += 1;
            last = entry.to_owned();
            text.push_str(&match directory {
                Some(directory) => {
                    format!("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", encode(directory))
                }
                None => {
                    format!("<Contents><Key>{}</Key><Size>{}</Size></Contents>", encode(key), object.length)
                }
            });
        }
        if truncated {
            let token = last.replace('&', "&amp;").replace('<', "&lt;");
            text.push_str(&format!(
                "<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
            ));
        }
        text.push_str("</ListBucketResult>");
        reply(200, text)
    }

    fn delete(&mut self, document: &[u8]) -> Response<Full<Bytes>> {
        let document = std::str::from_utf8(document).unwrap();
        let document = roxmltree::Document::parse(document).unwrap();
        let keys = document.descendants().filter(|node| node.has_tag_name("Key"));
        for key in keys {
            self.objects.remove(key.text().unwrap()).unwrap();
        }
        reply(200, "<DeleteResult></DeleteResult>")
    }
}
