//! The header map of a request as bytes, in one piece.
//!
//! The SDK would make two allocations of each header, which costs as much as all else about a token that is remembered. So its one call is
//! made here: the only unsafe code of the filter's own. The format is that of "serialized maps" in
//! <https://github.com/proxy-wasm/spec>, version 0.2.1: how many pairs there are; then the lengths of each name and value; then names and
//! values, each with a zero after it. Numbers are 32 bits long, the lowest byte first.

use proxy_wasm::types::{MapType, Status};
use std::ops::Range;

/// The headers of the stream whose turn it is.
#[expect(unsafe_code, reason = "the SDK has no such function")]
pub fn of_request() -> Result<Vec<u8>, Status> {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        safe fn proxy_get_header_map_pairs(map: MapType, data: &mut *mut u8, size: &mut usize) -> Status;
    }
    let (mut data, mut size) = (std::ptr::null_mut(), 0);
    match proxy_get_header_map_pairs(MapType::HttpRequestHeaders, &mut data, &mut size) {
        Status::Ok if data.is_null() => Ok(Vec::new()),
        // SAFETY: the proxy put it where the SDK's `proxy_on_memory_allocate` gave it this many bytes, as a boxed slice whose owner is whoever
        // the pointer is returned to; the SDK's `hostcalls::get_map_bytes` takes it in the same way.
        Status::Ok => Ok(unsafe { Vec::from_raw_parts(data, size, size) }),
        status => Err(status),
    }
}

/// Where each name and its value are, in their order.
pub fn places(map: &[u8]) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    let (count, lengths) = map.split_first_chunk().unwrap_or((&[0; 4], &[]));
    let lengths = lengths.as_chunks::<8>().0.iter().take(number(*count));
    let mut next = 4_usize.saturating_add(number(*count).saturating_mul(8));
    let mut take = move |length: [u8; 4]| {
        let place = next..next.saturating_add(number(length));
        next = place.end.saturating_add(1);
        place
    };
    lengths.map(move |[a, b, c, d, e, f, g, h]| (take([*a, *b, *c, *d]), take([*e, *f, *g, *h])))
}

fn number(bytes: [u8; 4]) -> usize {
    u32::from_le_bytes(bytes) as usize
}
