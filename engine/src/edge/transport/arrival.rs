//! A request's body: it arrives whole, within its size and its time, before anything is made of the request.
//!
//! What a client still sends when its answer stands is read and thrown away, within bounds: a connection that
//! is closed on it would take the answer along.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::problem::Problem;

/// The largest body of a request where nothing else is said, in bytes.
pub(crate) const BODY_MOST: usize = 64 * 1024;
/// How long a body may take to arrive.
const TIME_MOST: Duration = Duration::from_secs(10);
/// How much is thrown away, in bytes, how long that may take, and how long nothing may come: whoever reads the answer
/// only when all of a file is sent is told what is wrong with it, and not cut off.
const DRAIN_MOST: usize = 64 * 1024 * 1024;
const DRAIN_TIME: Duration = TIME_MOST;
const DRAIN_PAUSE: Duration = Duration::from_secs(1);

/// The request, its body of at most `most` bytes in memory. Of a `GET` nobody waits for a body.
///
/// # Errors
/// 400 when the body breaks off, 408 and 413 when it is too slow or too large.
pub(crate) async fn whole(request: Request, most: usize) -> Result<Request, Problem> {
    if declared_length(request.headers()).is_some_and(|length| length > most) {
        drain(request.into_body().into_data_stream()).await;
        return Err(too_large(most));
    }
    match *request.method() {
        Method::GET | Method::HEAD => Ok(request),
        _ => whole_within(request, most, TIME_MOST).await,
    }
}

/// The answer to a request whose body nobody wants.
pub(crate) async fn refuse(request: Request, problem: Problem) -> Response {
    drain(request.into_body().into_data_stream()).await;
    problem.into_response()
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn whole_within(request: Request, most: usize, time: Duration) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let mut stream = body.into_data_stream();
    match timeout(time, read(&mut stream, most)).await {
        Ok(Ok(bytes)) => Ok(Request::from_parts(parts, Body::from(bytes))),
        Ok(Err(problem)) => {
            drain(stream).await;
            Err(problem)
        }
        Err(_) => {
            let detail = format!("a request's body must arrive within {} s", time.as_secs_f64());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail))
        }
    }
}

async fn read(stream: &mut BodyDataStream, most: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|_| Problem::bad_request("the body breaks off"))?;
        bytes.extend_from_slice(&part);
        if bytes.len() > most {
            return Err(too_large(most));
        }
    }
    Ok(bytes)
}

/// Throws away what still comes.
async fn drain(mut stream: BodyDataStream) {
    let mut left = DRAIN_MOST;
    let ended = async {
        while let Ok(Some(Ok(part))) = timeout(DRAIN_PAUSE, stream.next()).await {
            left = left.saturating_sub(part.len());
            if left == 0 {
                break;
            }
        }
    };
    // Whoever sends for longer has to do without an answer.
    let _ = timeout(DRAIN_TIME, ended).await;
}

/// The answer to a body that is too large.
fn too_large(most: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a request's body may have {most} bytes at most"))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_body_has_its_time_and_its_size() {
        let never = Body::from_stream(stream::pending::<Result<&[u8], std::io::Error>>());
        let problem = whole_within(Request::new(never), BODY_MOST, Duration::from_millis(500)).await.unwrap_err();
        assert_eq!((problem.status().as_u16(), problem.detail()), (408, "a request's body must arrive within 0.5 s"));
        let large = Body::from_stream(stream::iter((0..17).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 4096]))));
        let problem = whole(Request::post("/").body(large).unwrap(), BODY_MOST).await.unwrap_err();
        assert_eq!(
            (problem.status().as_u16(), problem.detail()),
            (413, "a request's body may have 65536 bytes at most")
        );
        let right = Request::post("/").body(Body::from(vec![b'x'; BODY_MOST])).unwrap();
        let right = whole(right, BODY_MOST).await.unwrap();
        assert_eq!(axum::body::to_bytes(right.into_body(), usize::MAX).await.unwrap().len(), BODY_MOST);
    }
}
