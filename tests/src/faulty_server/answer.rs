//! The correct and faulty responses.

use super::{Behaviour, Request, State};
use flate2::{Compression, write::GzEncoder};
use std::{
    io::{self, Write},
    sync::LazyLock,
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// 100 MB of zeros, compressed.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    (0..100).for_each(|_| encoder.write_all(&zeros).expect("memory"));
    encoder.finish().expect("memory")
});

/// Sends the response. Returns `true` if the connection must be reset after it.
pub(super) async fn give<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    behaviour: Behaviour,
    request: &Request,
    state: &State,
) -> io::Result<bool> {
    match behaviour {
        Behaviour::Serve(body) => full(stream, 200, &[], body.as_bytes()).await,
        Behaviour::ServeWith(body, headers) => full(stream, 200, &headers, body.as_bytes()).await,
        Behaviour::Tagged(_, etag) if request.header("if-none-match") == Some(etag) => {
            full(stream, 304, &[("ETag", etag.into())], b"").await
        }
        Behaviour::Tagged(body, etag) => full(stream, 200, &[("ETag", etag.into())], body.as_bytes()).await,
        Behaviour::Status(status, body) => full(stream, status, &[], body.as_bytes()).await,
        Behaviour::Redirect(to, body) => full(stream, 302, &[("Location", to)], body.as_bytes()).await,
        Behaviour::Typed(content_type, body) => {
            full(stream, 200, &[("Content-Type", content_type.into())], body.as_bytes()).await
        }
        Behaviour::ResetMidway(body) => half(stream, &body).await.map(|()| true),
        Behaviour::CloseMidway(body) => half(stream, &body).await.map(|()| false),
        Behaviour::Stall => until_it_leaves(stream).await,
        Behaviour::StallMidway(body) => {
            half(stream, &body).await?;
            until_it_leaves(stream).await
        }
        Behaviour::Pausing(body, pause) => pausing(stream, &body, pause).await,
        Behaviour::Chunked(body) => chunked(stream, &body).await,
        Behaviour::Drip(body, every) => drip(stream, &body, every).await,
        Behaviour::Huge(bytes) => huge(stream, bytes, state).await,
        Behaviour::GzipBomb => full(stream, 200, &[("Content-Encoding", "gzip".into())], &BOMB).await,
        Behaviour::InTurn(_) => Err(io::Error::other("turns are not nested")),
        Behaviour::Held(then) => {
            let mut released = state.released.subscribe();
            released.wait_for(|released| *released).await.map_err(io::Error::other)?;
            Box::pin(give(stream, *then, request, state)).await
        }
    }
}

async fn full<S: AsyncWrite + Unpin>(
    stream: &mut S,
    status: u16,
    headers: &[(&str, String)],
    body: &[u8],
) -> io::Result<bool> {
    stream.write_all(head(status, headers, body.len() as u64).as_bytes()).await?;
    stream.write_all(body).await?;
    stream.shutdown().await?;
    Ok(false)
}

async fn half<S: AsyncWrite + Unpin>(stream: &mut S, body: &str) -> io::Result<()> {
    stream.write_all(head(200, &[], body.len() as u64).as_bytes()).await?;
    stream.write_all(&body.as_bytes()[..body.len() / 2]).await?;
    stream.flush().await
}

async fn pausing<S: AsyncWrite + Unpin>(stream: &mut S, body: &str, pause: Duration) -> io::Result<bool> {
    stream.write_all(head(200, &[], body.len() as u64).as_bytes()).await?;
    stream.flush().await?;
    tokio::time::sleep(pause).await;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(false)
}

async fn chunked<S: AsyncWrite + Unpin>(stream: &mut S, body: &str) -> io::Result<bool> {
    stream.write_all(b"HTTP/1.1 200 -\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
    let (one, two) = body.split_at(body.len() / 2);
    for chunk in [one, two] {
        stream.flush().await?;
        stream.write_all(format!("{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes()).await?;
    }
    stream.write_all(b"0\r\n\r\n").await?;
    stream.shutdown().await?;
    Ok(false)
}

async fn drip<S: AsyncWrite + Unpin>(stream: &mut S, body: &str, every: Duration) -> io::Result<bool> {
    stream.write_all(head(200, &[], body.len() as u64).as_bytes()).await?;
    let mut ticks = tokio::time::interval(every);
    for byte in body.bytes() {
        ticks.tick().await;
        stream.write_u8(byte).await?;
        stream.flush().await?;
    }
    Ok(false)
}

/// Reads and discards bytes until the client closes the connection, for example after its time-out.
async fn until_it_leaves<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<bool> {
    while stream.read(&mut [0; 64]).await? > 0 {}
    Ok(false)
}

/// Sends bytes until all are sent or the client has closed the connection.
async fn huge<S: AsyncWrite + Unpin>(stream: &mut S, bytes: u64, state: &State) -> io::Result<bool> {
    stream.write_all(head(200, &[], bytes).as_bytes()).await?;
    let block = [b' '; 16 * 1024];
    for _ in 0..bytes.div_ceil(block.len() as u64) {
        stream.write_all(&block).await?;
        state.count_bytes(block.len());
    }
    Ok(false)
}

fn head(status: u16, headers: &[(&str, String)], length: u64) -> String {
    let mut head = format!("HTTP/1.1 {status} -\r\nConnection: close\r\nContent-Length: {length}\r\n");
    if !headers.iter().any(|(name, _)| *name == "Content-Type") {
        head += "Content-Type: application/json\r\n";
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head + "\r\n"
}
